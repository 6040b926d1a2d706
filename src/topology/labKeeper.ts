/**
 * Keeps a lab running after the command that started it has ended: a program of its own (chaos/mesh/labKeeperMain.ts), in a session of its
 * own, started by keptLab.ts. It starts the lab as a run would, answers on a socket, and ends with it. If it is killed, the supervisor ends
 * the servers, and the link mesh ends with its threads.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { unreachable } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { identityOf } from '../base/processIdentity.js';
import { startLab } from './lab.js';
import { KEEP, type KeeperMessage, type KeeperNews, type KeeperRequest, type KeeperStart } from './labKeeperProtocol.js';
import { createLabState, isAlive, type KeptNetwork, type LabState, labFiles, readLabState, removeLabState, updateLabState } from './labState.js';
import type { LabNetwork, ProcessControl, Target } from './target.js';
import type { CoreNode } from './targetCore.js';

/** A link mesh, as the keeper sees it; what is behind it belongs to chaos. */
export interface KeeperNetwork extends LabNetwork {
  /** Lets clients in, once the lab stands. */
  open(target: Target): Promise<KeptNetwork>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

export type OpenNetwork = (start: KeeperStart) => Promise<KeeperNetwork>;

const ending = new AbortController();
let lab: Target | null = null;
let network: KeeperNetwork | null = null;
let server: Server | null = null;
let held: KeeperStart | null = null;
let isKept = false;
/** Settles when the lab stands, or does not come about. */
let starting: Promise<void> | null = null;

function say(news: KeeperNews): void {
  if (!isKept) process.stdout.write(`${JSON.stringify(news)}\n`);
}

async function start(request: KeeperStart, openNetwork: OpenNetwork): Promise<void> {
  const { name, runtime, plan } = request;
  const keeper = identityOf(process.pid);
  if (keeper === null) throw new Error('bug in kvbench: this process does not know itself');
  const state: LabState = { formatVersion: 1, name, keeper, phase: 'starting', plan, folder: '', nodes: [], record: null };
  takeName(runtime, state);
  held = request;
  if (request.network) network = await openNetwork(request);
  lab = await startLab(plan, { onProgress: (text) => say({ type: 'progress', text }), signal: ending.signal, network });
  const { processes } = lab;
  if (!processes) throw new Error('bug in kvbench: a lab without processes');
  const open = await network?.open(lab);
  server = await listen(labFiles(runtime, name).socket, lab, processes);
  const logFile = lab.nodes[0]?.logFile ?? '';
  const folder = logFile.split('/').slice(0, -2).join('/');
  updateLabState(runtime, {
    ...state,
    phase: 'ready',
    folder,
    nodes: lab.nodes as CoreNode[],
    record: lab.describe(),
    ...(open ? { network: open } : {}),
  });
  say({ type: 'ready' });
}

function takeName(runtime: string, state: LabState): void {
  const other = readLabState(runtime, state.name);
  if (other && !isAlive(other)) removeLabState(runtime, state.name);
  if (createLabState(runtime, state)) return;
  const pid = readLabState(runtime, state.name)?.keeper.pid ?? '?';
  throw new KvbenchError(
    'LAB_FAILED',
    `a lab named ${state.name} runs already (kept by process ${pid})`,
    `Look at it with kvbench lab status ${state.name}, end it with kvbench lab down ${state.name}, or choose another --name.`,
  );
}

function listen(socketFile: string, target: Target, processes: ProcessControl): Promise<Server> {
  const guests = new Set<Socket>();
  const tell = (to: Socket, message: KeeperMessage): void => {
    if (to.writable) to.write(`${JSON.stringify(message)}\n`);
  };
  processes.onChange((change) => {
    for (const guest of guests) tell(guest, { type: 'change', change });
  });
  const listening = createServer((guest) => {
    guests.add(guest);
    guest.on('error', () => guest.destroy());
    guest.on('close', () => guests.delete(guest));
    const pids = target.nodes.flatMap(({ id }) => {
      const pid = processes.pidOf(id);
      return pid === null ? [] : [[id, pid] as const];
    });
    tell(guest, { type: 'hello', pids: Object.fromEntries(pids) });
    createInterface({ input: guest }).on('line', (line) => {
      const request = JSON.parse(line) as KeeperRequest;
      carryOut(request, processes).then(
        (atUs) => {
          tell(guest, { type: 'done', id: request.id, atUs });
          if (request.op === 'down') setImmediate(() => process.exit(0));
        },
        (thrown: unknown) => tell(guest, { type: 'failed', id: request.id, ...failureOf(thrown) }),
      );
    });
  });
  return new Promise((resolve, reject) => {
    listening.once('error', reject);
    listening.listen(socketFile, () => resolve(listening));
  });
}

/** When it was done, machine monotonic µs. */
async function carryOut(request: KeeperRequest, processes: ProcessControl): Promise<number> {
  switch (request.op) {
    case 'signal':
      return (await processes.signal(request.node, request.signal)).atUs;
    case 'start':
      await processes.start(request.node);
      break;
    case 'removeData':
      await processes.removeData(request.node);
      break;
    case 'replaceProgram':
      processes.replaceProgram(request.node, request.program);
      break;
    case 'down':
      await end();
      break;
    default:
      unreachable(request);
  }
  return monotonicUs();
}

function failureOf(thrown: unknown): { code: string; message: string; hint?: string } {
  if (!(thrown instanceof KvbenchError)) return { code: 'INTERNAL', message: messageOf(thrown) };
  return { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) };
}

/** Servers, folder, socket and state gone. Safe to call twice. */
async function end(): Promise<void> {
  ending.abort();
  await starting?.catch(() => undefined);
  const open = lab;
  lab = null;
  await open?.close();
  await network?.close();
  server?.close();
  if (held) removeLabState(held.runtime, held.name);
  held = null;
}

async function giveUp(): Promise<void> {
  await end();
  process.exit(1);
}

/** The program: reads what to start from its standard input. Called once. */
export function runKeeper(openNetwork: OpenNetwork): void {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => void giveUp());
  process.stdout.on('error', () => undefined);
  const lines = createInterface({ input: process.stdin });
  lines.once('line', (first) => {
    lines.on('line', (line) => {
      if (line === KEEP) isKept = true;
    });
    starting = start(JSON.parse(first) as KeeperStart, openNetwork);
    starting.catch((thrown: unknown) => {
      say({ type: 'failed', ...failureOf(thrown) });
      void giveUp();
    });
  });
  // Whoever started it has gone before it could be kept: nobody knows of this lab.
  process.stdin.on('close', () => {
    if (!isKept) void giveUp();
  });
}
