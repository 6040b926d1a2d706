/**
 * What is on disk of a lab that goes on running in the background: who keeps it, where it is asked, what it consists of. Written by the
 * keeper (labKeeper.ts), read by whoever attaches. It must never be believed of a keeper that has gone.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { KvbenchError } from '../base/errors.js';
import { isStillRunning, type ProcessIdentity } from '../base/processIdentity.js';
import type { LabPlan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';
import type { CoreNode } from './targetCore.js';

export interface LabState {
  formatVersion: 1;
  name: string;
  keeper: ProcessIdentity;
  /** Not all of the rest is there before it is ready. */
  phase: 'starting' | 'ready';
  plan: LabPlan;
  /** Of its supervisor; '' before there is one. */
  folder: string;
  nodes: CoreNode[];
  record: RunTargetRecord | null;
  /** Absent: nothing stands in its links. */
  network?: KeptNetwork;
}

/** The link mesh of a lab in the background, which its keeper runs. */
export interface KeptNetwork {
  /** Of the Toxiproxy that has all the proxies. */
  url: string;
  /** Whoever calls a node's announced address is of the first one. */
  clientGroups: string[];
  links: KeptLink[];
}

export interface KeptLink {
  /** A node's id, or a client group. */
  from: string;
  to: string;
  channel: 'client' | 'replication' | 'bus' | 'sentinel';
  /** Its name in Toxiproxy. */
  proxy: string;
  /** Where it listens. */
  host: string;
  port: number;
}

export interface LabFiles {
  state: string;
  socket: string;
  log: string;
}

const SUFFIX = '.lab.json';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** Throws INVALID_ARGUMENT for what is no name. */
export function labFiles(runtime: string, name: string): LabFiles {
  if (!NAME.test(name)) {
    throw new KvbenchError('INVALID_ARGUMENT', `${JSON.stringify(name)} is no name of a lab`, 'Use up to 40 letters, digits, dots and dashes.');
  }
  const file = (suffix: string): string => join(runtime, `${name}${suffix}`);
  return { state: file(SUFFIX), socket: file('.lab.sock'), log: file('.lab.log') };
}

/** Null: there is none of this name. */
export function readLabState(runtime: string, name: string): LabState | null {
  try {
    const state = JSON.parse(readFileSync(labFiles(runtime, name).state, 'utf8')) as LabState;
    return state.formatVersion === 1 ? state : null;
  } catch (thrown) {
    if (thrown instanceof KvbenchError) throw thrown;
    return null;
  }
}

/** Names of all labs with a state, running or not. */
export function labNames(runtime: string): string[] {
  return readdirSync(runtime)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

/** Whether its keeper runs; a lab whose keeper has gone (the machine was started again, it was killed) has no server any more. */
export function isAlive(state: LabState): boolean {
  return isStillRunning(state.keeper);
}

/** Takes the name. False: somebody else has it. */
export function createLabState(runtime: string, state: LabState): boolean {
  try {
    writeFileSync(labFiles(runtime, state.name).state, JSON.stringify(state), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/** At once, never half. */
export function updateLabState(runtime: string, state: LabState): void {
  const file = labFiles(runtime, state.name).state;
  const next = `${file}.${process.pid}`;
  writeFileSync(next, JSON.stringify(state), { mode: 0o600 });
  renameSync(next, file);
}

/** Of a lab that is down, or whose keeper has gone: then its folder too, which a machine that lost power left. */
export function removeLabState(runtime: string, name: string): void {
  const state = readLabState(runtime, name);
  if (state && isSupervisorFolder(state.folder)) rmSync(state.folder, { recursive: true, force: true });
  for (const file of Object.values(labFiles(runtime, name)) as string[]) rmSync(file, { force: true });
}

function isSupervisorFolder(folder: string): boolean {
  return basename(folder).startsWith('kvbench-lab-') && dirname(resolve(folder)) === resolve(tmpdir());
}
