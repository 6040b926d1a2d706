/**
 * Carries out what a killed run left in its undo journal. Called by `kvbench heal`. A step that fails never keeps the others from being
 * tried; what could not be undone stays in the journal and is told precisely. It does nothing but the steps written there.
 */
import { spawn } from 'node:child_process';
import { appendFile, rm } from 'node:fs/promises';
import { unreachable } from '../base/assert.js';
import { messageOf } from '../base/errors.js';
import { type Access, noAccess, openControl } from '../topology/connection.js';
import { readAccess } from '../topology/secret.js';
import { ToxiproxyHttp, ToxiproxyReplyError } from './toxiproxyHttp.js';
import type { FoundJournal, UndoStep } from './undoJournal.js';

const EXEC_LIMIT_MS = 30_000;

export interface UndoResult {
  /** In words, a line each. */
  undone: string[];
  failed: string[];
}

/** Last step first. The file goes when nothing is left. Never rejects. */
export async function undoJournal(journal: FoundJournal): Promise<UndoResult> {
  const result: UndoResult = { undone: [], failed: [] };
  const access = accessOnce(journal);
  for (const { id, step } of journal.open.toReversed()) {
    const what = describeStep(step);
    try {
      await undoStep(step, access);
      await appendFile(journal.file, `\n${JSON.stringify({ done: id })}\n`);
      result.undone.push(what);
    } catch (error) {
      result.failed.push(`${what}: ${messageOf(error)}`);
    }
  }
  if (result.failed.length === 0) await rm(journal.file, { force: true });
  return result;
}

/** What a step does, for a person. */
export function describeStep(step: UndoStep): string {
  switch (step.kind) {
    case 'command':
      return `${step.args.join(' ')} on ${step.node} (${step.address})`;
    case 'toxiproxy':
      return step.toxic === undefined
        ? `remove the proxy ${step.proxy} at ${step.url}`
        : `remove the toxic ${step.toxic} of ${step.proxy} at ${step.url}`;
    case 'openProxy':
      return `open the proxy ${step.proxy} at ${step.url}`;
    case 'exec':
      return `run ${step.argv.join(' ')}`;
    default:
      return unreachable(step);
  }
}

/** One step; safe to carry out twice. Rejects with the reason. */
export async function undoStep(step: UndoStep, access: () => Promise<Access>): Promise<void> {
  switch (step.kind) {
    case 'command':
      return command(step, await access());
    case 'toxiproxy':
      return removeFromToxiproxy(step);
    case 'openProxy':
      return openProxy(step);
    case 'exec':
      return execute(step);
    default:
      unreachable(step);
  }
}

/** The login is read when the first step needs it, and once: its command may ask a person. */
function accessOnce({ head }: FoundJournal): () => Promise<Access> {
  let access: Promise<Access> | null = null;
  return () => {
    access ??= head.access === null ? Promise.resolve(noAccess) : readAccess(head.access);
    return access;
  };
}

async function command({ address, args }: Extract<UndoStep, { kind: 'command' }>, access: Access): Promise<void> {
  const colon = address.lastIndexOf(':');
  const redis = openControl(address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1)), access);
  let reason: string | null = null;
  redis.on('error', (error) => {
    reason ??= messageOf(error);
  });
  try {
    const [name = '', ...rest] = args;
    await redis.call(name, ...rest);
  } catch (error) {
    // Only the words: an error of ioredis carries more. "Connection is closed" hides why.
    throw new Error(/closed/i.test(messageOf(error)) ? (reason ?? messageOf(error)) : messageOf(error));
  } finally {
    redis.disconnect();
  }
}

async function removeFromToxiproxy({ url, proxy, toxic }: Extract<UndoStep, { kind: 'toxiproxy' }>): Promise<void> {
  const path = `${url}/proxies/${encodeURIComponent(proxy)}${toxic === undefined ? '' : `/toxics/${encodeURIComponent(toxic)}`}`;
  await ignoringGone(new ToxiproxyHttp().delete(path));
}

async function openProxy({ url, proxy }: Extract<UndoStep, { kind: 'openProxy' }>): Promise<void> {
  const path = `${url}/proxies/${encodeURIComponent(proxy)}`;
  await ignoringGone(new ToxiproxyHttp().post(path, { enabled: true }));
}

/** It has gone, or never came about. */
async function ignoringGone(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof ToxiproxyReplyError && error.status === 404)) throw error;
  }
}

function execute({ argv, env, limitMs = EXEC_LIMIT_MS }: Extract<UndoStep, { kind: 'exec' }>): Promise<void> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'ignore', timeout: limitMs, killSignal: 'SIGKILL' });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(signal === null ? `it ended with code ${code}` : `it did not end within ${limitMs / 1000} s`));
    });
  });
}
