/**
 * A tiny RESP server whose answer is known, in a process of its own: what accuracy is measured against. Started by accuracy.ts and by
 * tests; ended by `close`, and by itself when its parent goes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KvbenchError } from '../base/errors.js';
import type { Behaviour } from './knownAnswer.js';
import type { KnownMessage, KnownRequest, KnownStats } from './knownMessages.js';

const START_LIMIT_MS = 10_000;
const program = fileURLToPath(new URL('./knownServerProcess.js', import.meta.url));

export class KnownServer {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** On a free port of 127.0.0.1. Throws LAB_FAILED. */
  static async start(behaviour: Behaviour): Promise<KnownServer> {
    const child = fork(program, [JSON.stringify(behaviour)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      const { port } = await answer(child, 'listening');
      return new KnownServer(child, port);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Forgets what it has counted. */
  async reset(): Promise<void> {
    await this.#ask({ kind: 'reset' }, 'reset');
  }

  /** Since the start or the last reset. */
  stats(): Promise<KnownStats> {
    return this.#ask({ kind: 'stats' }, 'stats');
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGKILL');
    await gone;
  }

  #ask<K extends KnownMessage['kind']>(request: KnownRequest, kind: K): Promise<Extract<KnownMessage, { kind: K }>> {
    const reply = answer(this.#process, kind);
    this.#process.send(request);
    return reply;
  }
}

/** The next message of this kind. */
function answer<K extends KnownMessage['kind']>(child: ChildProcess, kind: K): Promise<Extract<KnownMessage, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(limit);
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const fail = (what: string): void => {
      settle();
      reject(new KvbenchError('LAB_FAILED', `the known server ${what}`));
    };
    const onMessage = (message: unknown): void => {
      if ((message as KnownMessage).kind !== kind) return;
      settle();
      resolve(message as Extract<KnownMessage, { kind: K }>);
    };
    const onExit = (code: number | null): void => fail(`ended with ${code}`);
    const limit = setTimeout(() => fail(`did not answer within ${START_LIMIT_MS / 1000} s`), START_LIMIT_MS);
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
