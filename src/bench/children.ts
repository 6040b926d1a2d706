/**
 * The bench's child processes: started, waited for, ended by their own handle, and none left behind on any way out. It never ends a
 * process it did not start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';

const TAIL_CHARS = 4000;
/** From SIGTERM to SIGKILL. */
const END_LIMIT_MS = 5_000;

export class BenchChild {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves when it has gone; never rejects. */
  readonly exited: Promise<void>;
  #tail = '';
  #listeners = new Set<() => void>();
  #hasExited = false;

  constructor(name: string, program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env) {
    this.name = name;
    this.process = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
        for (const listener of this.#listeners) listener();
      });
    }
    this.exited = new Promise((resolve) => {
      const gone = (): void => {
        this.#hasExited = true;
        for (const listener of this.#listeners) listener();
        resolve();
      };
      this.process.once('error', (error) => {
        this.#tail += error.message;
        gone();
      });
      this.process.once('close', gone);
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The last thing it said. */
  get tail(): string {
    return this.#tail;
  }

  /** Resolves when its output has said it. Throws when it ends first, or after `limitUs`. */
  said(pattern: RegExp, limitUs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#listeners.delete(look);
        clearTimeout(timer);
      };
      const look = (): void => {
        if (pattern.test(this.#tail)) resolve();
        else if (this.#hasExited) reject(this.failure(`ended before it said ${pattern}`));
        else return;
        settle();
      };
      const timer = setTimeout(() => {
        settle();
        reject(this.failure(`did not say ${pattern} within ${limitUs / 1_000_000} s`));
      }, limitUs / 1000);
      this.#listeners.add(look);
      look();
    });
  }

  /** Waits for its own end. Throws after `limitUs`, or when it ends otherwise than with code 0. */
  async finished(limitUs: number): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.exited, sleepUs(limitUs, waiting.signal)]);
    waiting.abort();
    if (!this.#hasExited) throw this.failure(`did not end within ${limitUs / 1_000_000} s`);
    if (this.process.exitCode !== 0) throw this.failure(`ended with ${this.process.exitCode ?? this.process.signalCode}`);
  }

  /** Ends it, first kindly. */
  async end(): Promise<void> {
    if (this.#hasExited) return;
    this.process.kill('SIGTERM');
    const hard = setTimeout(() => this.process.kill('SIGKILL'), END_LIMIT_MS);
    await this.exited;
    clearTimeout(hard);
  }

  failure(what: string): KvbenchError {
    const lines = this.#tail
      .trim()
      .split(/[\r\n]+/)
      .slice(-6)
      .join('\n  ');
    return new KvbenchError('INTERNAL', `${this.name} ${what}`, lines === '' ? 'it said nothing' : `its last words:\n  ${lines}`);
  }
}

/** All that run, so that a Ctrl-C ends them too. */
export class Children {
  readonly #running = new Set<BenchChild>();

  start(name: string, program: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): BenchChild {
    const child = new BenchChild(name, program, args, cwd, env);
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    return child;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => child.end()));
  }
}
