/**
 * A lab that runs in the background: starting its keeper, and coming to it later as to any target. Called by the `lab`, `inject` and
 * `heal` commands and by `run --lab`. Whoever attaches never ends the lab, but by `takeDown`.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { assert } from '../base/assert.js';
import { type ErrorCode, errorTable, KvbenchError } from '../base/errors.js';
import type { LoadEndpoints } from '../load/client.js';
import type { LabPlan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';
import { noAccess } from './connection.js';
import { KEEP, type KeeperMessage, type KeeperNews, type KeeperRequest, type KeeperStart } from './labKeeperProtocol.js';
import { isAlive, type KeptNetwork, type LabState, labFiles, labNames, readLabState, removeLabState } from './labState.js';
import type { LabSignal } from './supervisorProtocol.js';
import type { ProcessChange, ProcessControl, Target, TopologyView } from './target.js';
import { TargetCore } from './targetCore.js';
import { waitFor, withinLimit } from './waiting.js';

/** From the start of the keeper to a lab that is ready, or has failed by itself. */
const UP_LIMIT_US = 180_000_000;
const REPLY_LIMIT_US = 30_000_000;
const HELLO_LIMIT_US = 5_000_000;

/**
 * Resolves when the lab is ready and on its own. Throws what starting a lab throws; then nothing of it is left.
 * @param program the keeper's (chaos/mesh/keptNetwork.ts)
 */
export async function bringUpKeptLab(program: URL, start: KeeperStart, onProgress: (text: string) => void, signal: AbortSignal): Promise<void> {
  const entry = fileURLToPath(program);
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _test, ...env } = process.env;
  const log = openSync(labFiles(start.runtime, start.name).log, 'a', 0o600);
  const child = spawn(process.execPath, [entry], { detached: true, cwd: '/', env, stdio: ['pipe', 'pipe', log] });
  closeSync(log);
  const { stdin, stdout } = child;
  assert(stdin !== null && stdout !== null, 'a keeper without pipes');
  const giveUp = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', giveUp, { once: true });
  const settled = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new KvbenchError('LAB_FAILED', `the lab's keeper did not start: ${error.message}`)));
    child.once('exit', () =>
      reject(new KvbenchError('LAB_FAILED', signal.aborted ? 'interrupted while the lab was being formed' : "the lab's keeper ended")),
    );
    createInterface({ input: stdout }).on('line', (line) => {
      const news = JSON.parse(line) as KeeperNews;
      if (news.type === 'progress') onProgress(news.text);
      else if (news.type === 'ready') resolve();
      else reject(errorOf(news));
    });
  });
  stdin.on('error', () => undefined);
  stdin.write(`${JSON.stringify(start)}\n`);
  try {
    await withinLimit(settled, UP_LIMIT_US, () => new KvbenchError('LAB_FAILED', `the lab was not ready within ${UP_LIMIT_US / 1_000_000} s`));
    await new Promise<void>((resolve) => stdin.end(`${KEEP}\n`, resolve));
  } catch (thrown) {
    giveUp();
    await new Promise<void>((resolve) => (child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve()));
    const left = readLabState(start.runtime, start.name);
    if (left === null || left.keeper.pid === child.pid) removeLabState(start.runtime, start.name);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', giveUp);
    stdout.destroy();
    child.unref();
  }
}

/** The state of a lab that runs. Throws LAB_FAILED when none of this name does; what a gone one left is removed. */
export function requireLab(runtime: string, name: string): LabState {
  const state = readLabState(runtime, name);
  if (state?.phase === 'ready' && isAlive(state)) return state;
  if (state && isAlive(state)) throw new KvbenchError('LAB_FAILED', `the lab ${name} is still starting`, 'Try again in a moment.');
  const running = labNames(runtime).filter((other) => {
    const found = readLabState(runtime, other);
    return found !== null && isAlive(found);
  });
  if (state) removeLabState(runtime, name);
  throw new KvbenchError(
    'LAB_FAILED',
    state ? `the lab ${name} does not run any more: its keeper (process ${state.keeper.pid}) has gone` : `no lab named ${name} runs`,
    running.length > 0 ? `These do: ${running.join(', ')}.` : 'Start one: kvbench lab up PROFILE.',
  );
}

export interface AttachedLab extends Target {
  readonly kind: 'lab';
  readonly processes: ProcessControl;
  readonly plan: LabPlan;
  /** Null: nothing stands in its links. */
  readonly network: KeptNetwork | null;
  /** Ends the lab itself. */
  takeDown(): Promise<void>;
}

/** Comes to a lab that runs. `close` only leaves it. Throws LAB_FAILED. */
export async function attachLab(runtime: string, name: string): Promise<AttachedLab> {
  const state = requireLab(runtime, name);
  const keeper = await KeeperLink.open(labFiles(runtime, name).socket, name);
  try {
    const core = new TargetCore(state.plan.topology, state.nodes, noAccess);
    await core.describeNow(state.record?.server ?? '', state.record?.version ?? '');
    return new KeptTarget(core, keeper, state);
  } catch (thrown) {
    keeper.close();
    throw thrown;
  }
}

class KeptTarget implements AttachedLab {
  readonly kind = 'lab';
  readonly mode;
  readonly nodes;
  readonly processes: ProcessControl;
  readonly plan: LabPlan;
  readonly network: KeptNetwork | null;
  readonly #core: TargetCore;
  readonly #keeper: KeeperLink;

  constructor(core: TargetCore, keeper: KeeperLink, { plan, network }: LabState) {
    this.mode = core.mode;
    this.nodes = core.nodes;
    this.processes = keeper;
    this.plan = plan;
    this.network = network ?? null;
    this.#core = core;
    this.#keeper = keeper;
  }

  describe(): RunTargetRecord {
    return this.#core.describe();
  }

  currentView(): Promise<TopologyView> {
    return this.#core.currentView();
  }

  control(nodeId: string): Redis {
    return this.#core.control(nodeId);
  }

  endpoints(proxies: Record<string, { host: string; port: number }> | null): LoadEndpoints {
    return this.#core.endpoints(proxies);
  }

  keysPerNode(): Promise<Record<string, number>> {
    return this.#core.keysPerNode();
  }

  async close(): Promise<void> {
    this.#core.poller.close();
    this.#keeper.close();
  }

  async takeDown(): Promise<void> {
    this.#core.poller.close();
    await this.#keeper.down();
  }
}

/** The processes of a kept lab, through its keeper. */
class KeeperLink implements ProcessControl {
  readonly #socket: Socket;
  readonly #name: string;
  readonly #pids = new Map<string, number>();
  readonly #exitUs = new Map<string, number>();
  readonly #listeners: ((change: ProcessChange) => void)[] = [];
  readonly #waiting = new Map<number, { resolve(atUs: number): void; reject(error: Error): void }>();
  readonly #replaced = new Map<string, Promise<number>>();
  #nextId = 1;

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new KvbenchError('FAULT_FAILED', `the keeper of the lab ${name} has gone`));
      this.#waiting.clear();
    });
  }

  static async open(socketFile: string, name: string): Promise<KeeperLink> {
    const socket = connect(socketFile);
    const link = new KeeperLink(socket, name);
    const greeted = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      createInterface({ input: socket }).on('line', (line) => {
        const message = JSON.parse(line) as KeeperMessage;
        link.#hear(message);
        if (message.type === 'hello') resolve();
      });
    });
    const failed = (why: string): KvbenchError =>
      new KvbenchError('LAB_FAILED', `the keeper of the lab ${name} ${why}`, `End it with kvbench lab down ${name}.`);
    try {
      await withinLimit(greeted, HELLO_LIMIT_US, () => failed('does not answer'));
      return link;
    } catch (thrown) {
      socket.destroy();
      throw thrown instanceof KvbenchError ? thrown : failed(`could not be reached: ${(thrown as Error).message}`);
    }
  }

  pidOf(nodeId: string): number | null {
    return this.#pids.get(nodeId) ?? null;
  }

  isRunning(nodeId: string): boolean {
    return this.#pids.has(nodeId);
  }

  async signal(nodeId: string, signal: LabSignal): Promise<{ atUs: number }> {
    return { atUs: await this.#ask({ op: 'signal', node: nodeId, signal }) };
  }

  /** The keeper hears of it before any later start; what it has against it is thrown there. */
  replaceProgram(nodeId: string, program: string): void {
    const replaced = this.#ask({ op: 'replaceProgram', node: nodeId, program });
    replaced.catch(() => undefined);
    this.#replaced.set(nodeId, replaced);
  }

  async start(nodeId: string): Promise<void> {
    await this.#replaced.get(nodeId);
    await this.#ask({ op: 'start', node: nodeId });
  }

  async removeData(nodeId: string): Promise<void> {
    await this.#ask({ op: 'removeData', node: nodeId });
  }

  waitForExit(nodeId: string, timeoutUs: number): Promise<{ atUs: number }> {
    return waitFor(() => (this.isRunning(nodeId) ? undefined : { atUs: this.#exitUs.get(nodeId) ?? 0 }), {
      limitUs: timeoutUs,
      everyUs: 2000,
      timedOut: () => new KvbenchError('FAULT_FAILED', `the process of ${nodeId} (pid ${this.pidOf(nodeId)}) has not gone`),
    });
  }

  onChange(listener: (change: ProcessChange) => void): void {
    this.#listeners.push(listener);
  }

  async down(): Promise<void> {
    await this.#ask({ op: 'down' });
    this.close();
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(message: KeeperMessage): void {
    switch (message.type) {
      case 'hello':
        for (const [node, pid] of Object.entries(message.pids)) this.#pids.set(node, pid);
        break;
      case 'done':
        this.#waiting.get(message.id)?.resolve(message.atUs);
        break;
      case 'failed':
        this.#waiting.get(message.id)?.reject(errorOf(message));
        break;
      case 'change': {
        const { change } = message;
        if (change.state === 'started') this.#pids.set(change.node, change.pid);
        else if (this.#pids.get(change.node) === change.pid) {
          this.#pids.delete(change.node);
          this.#exitUs.set(change.node, change.atUs);
        }
        for (const listener of this.#listeners) listener(change);
        break;
      }
    }
  }

  #ask(request: KeeperRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never): Promise<number> {
    const id = this.#nextId++;
    const answer = new Promise<number>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    if (this.#socket.destroyed) return Promise.reject(new KvbenchError('FAULT_FAILED', `the keeper of the lab ${this.#name} has gone`));
    this.#socket.write(`${JSON.stringify({ ...request, id })}\n`);
    const late = (): KvbenchError => new KvbenchError('FAULT_FAILED', `the keeper of the lab ${this.#name} does not answer`);
    return withinLimit(answer, REPLY_LIMIT_US, late).finally(() => this.#waiting.delete(id));
  }
}

function errorOf({ code, message, hint }: { code: string; message: string; hint?: string }): KvbenchError {
  return new KvbenchError(code in errorTable ? (code as ErrorCode) : 'LAB_FAILED', message, hint);
}
