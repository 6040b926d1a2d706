/**
 * kvbench's end of the supervisor (supervisor.ts): starts it, asks it, hears from it. Used by lab.ts through labProcesses.ts.
 * It must never signal a process itself, but for one case: a supervisor that was killed cannot clean up after itself.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readlinkSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { assert } from '../base/assert.js';
import { KvbenchError } from '../base/errors.js';
import type { LabSignal, SupervisorMessage, SupervisorRequest } from './supervisorProtocol.js';
import { withinLimit } from './waiting.js';

const READY_LIMIT_US = 10_000_000;
const REPLY_LIMIT_US = 5_000_000;
const STOP_LIMIT_US = 10_000_000;

export type ServerExit = Omit<Extract<SupervisorMessage, { type: 'exited' }>, 'type'>;
type Done = Extract<SupervisorMessage, { type: 'done' }>;
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

export class Supervisor {
  /** The lab's temporary folder; node `n1` lives in `<folder>/n1`. */
  readonly folder: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, { resolve(done: Done): void; reject(error: Error): void }>();
  readonly #pids = new Map<string, number>();
  readonly #gone: Promise<void>;
  #onExit: (exit: ServerExit) => void = () => {};
  #nextId = 1;
  #stopping = false;

  private constructor(child: ChildProcessWithoutNullStreams, folder: string) {
    this.#child = child;
    this.folder = folder;
    this.#gone = new Promise((resolve) => {
      child.once('exit', () => {
        this.#cleanUpAfterSupervisor();
        resolve();
      });
    });
  }

  /** Starts a supervisor with a folder of its own. Throws LAB_FAILED. */
  static async launch(): Promise<Supervisor> {
    const entry = fileURLToPath(new URL('./supervisor.js', import.meta.url));
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _test, ...env } = process.env;
    const child = spawn(process.execPath, [entry], { detached: true, cwd: '/', env, stdio: ['pipe', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2000);
    });
    // Writing to a supervisor that has just gone is answered by its exit.
    child.stdin.on('error', () => {});
    // Of a stack trace only the line that says what happened.
    const failed = (): KvbenchError =>
      new KvbenchError('LAB_FAILED', `the lab could not be prepared: ${/^\w*Error: (.*)/m.exec(complaint)?.[1] ?? 'its supervisor did not start'}`);
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<SupervisorMessage>((resolve, reject) => {
      lines.once('line', (line) => resolve(JSON.parse(line) as SupervisorMessage));
      child.once('error', (error) => {
        complaint = String(error);
        reject(failed());
      });
      child.once('close', () => reject(failed()));
    });
    try {
      const message = await withinLimit(ready, READY_LIMIT_US, failed);
      assert(message.type === 'ready', `the supervisor said ${message.type} first`);
      const supervisor = new Supervisor(child, message.folder);
      lines.on('line', (line) => supervisor.#hear(JSON.parse(line) as SupervisorMessage));
      return supervisor;
    } catch (thrown) {
      child.kill('SIGTERM');
      throw thrown;
    }
  }

  /** Where exits of servers are told; one listener. */
  set onExit(listener: (exit: ServerExit) => void) {
    this.#onExit = listener;
  }

  /** Of a running server, else null. */
  pidOf(node: string): number | null {
    return this.#pids.get(node) ?? null;
  }

  /** Starts a server as node `node`. Throws an Error that says why not. */
  async start(node: string, program: string, args: readonly string[]): Promise<{ pid: number; atUs: number }> {
    const done = await this.#ask({ op: 'start', node, program, args: [...args] }, REPLY_LIMIT_US);
    assert(done.started !== null, 'a start without a pid');
    return { pid: done.started.pid, atUs: done.atUs };
  }

  /** Resolves when the signal is delivered. SIGKILL takes the server's forks with it. Throws an Error that says why not. */
  signal(node: string, signal: LabSignal): Promise<{ atUs: number }> {
    return this.#ask({ op: 'signal', node, signal }, REPLY_LIMIT_US);
  }

  /** Servers killed, folder removed, supervisor gone. Safe to call twice. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#ask({ op: 'stop' }, STOP_LIMIT_US).catch(() => {});
      this.#child.stdin.end();
    }
    await withinLimit(this.#gone, STOP_LIMIT_US, () => new Error('late')).catch(async () => {
      this.#child.kill('SIGKILL');
      await this.#gone;
    });
  }

  #ask(request: WithoutId<SupervisorRequest>, limitUs: number): Promise<Done> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.reject(new Error('the supervisor has gone'));
    const id = this.#nextId++;
    const answer = new Promise<Done>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    return withinLimit(answer, limitUs, () => new Error('the supervisor does not answer')).finally(() => this.#waiting.delete(id));
  }

  #hear(message: SupervisorMessage): void {
    switch (message.type) {
      case 'ready':
        break;
      case 'done':
        // The pid is known before an exit of the same server can be heard: both come in order.
        if (message.started) this.#pids.set(message.started.node, message.started.pid);
        this.#waiting.get(message.id)?.resolve(message);
        break;
      case 'failed':
        this.#waiting.get(message.id)?.reject(new Error(message.message));
        break;
      case 'exited': {
        const { type: _type, ...exit } = message;
        if (this.#pids.get(exit.node) === exit.pid) this.#pids.delete(exit.node);
        this.#onExit(exit);
        break;
      }
    }
  }

  /** After an orderly stop there is nothing to do. If someone killed the supervisor, its servers are nobody's children now. */
  #cleanUpAfterSupervisor(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the supervisor has gone'));
    for (const [node, pid] of this.#pids) if (isServerIn(pid, `${this.folder}/${node}`)) tryKill(pid);
    this.#pids.clear();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whether `pid` is still our server and not a newcomer with its number; where that can't be seen (not Linux) it is taken for ours. */
function isServerIn(pid: number, cwd: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '') === cwd;
  } catch {
    return false;
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone.
  }
}
