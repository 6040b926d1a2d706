/**
 * The load as cli/run.ts sees it: starts the worker threads, merges their intervals into one ordered stream and forwards what
 * happens. It knows nothing of faults, and never waits for a server itself.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { unreachable } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import { type ErrorCode, errorTable, KvbenchError } from '../base/errors.js';
import { startWithSemiSpace } from '../base/youngGeneration.js';
import { hasKey, operationsOfPlan } from '../plan/operations.js';
import { clientGroupOf, loadEndUs, type OperationName, type Plan } from '../plan/plan.js';
import type { EventRecord, IntervalRecord, RunSink } from '../result/records.js';
import type { LoadEndpoints } from './client.js';
import { groupRecords } from './groupIntervals.js';
import { type LedgerMemory, makeLedgerMemory } from './ledgerMemory.js';
import { mergeIntervals } from './mergeIntervals.js';
import type { FromWorker, ToWorker, WorkerInit, WorkerInterval } from './messages.js';
import { type PacingHelper, startPacingHelper } from './pacingHelper.js';
import { makeSlotCounts } from './slotCounts.js';

/**
 * Node's own limit, 48 MB per thread, is filled before anything is collected. The wire client makes next to no garbage; ioredis makes some
 * kB per operation, and would be slowed by collecting it more often.
 */
const YOUNG_GENERATION_MB = { wire: 6, ioredis: 48 } as const;
/** A third of it, from the start: with ioredis, throughput would else depend on how far the preload happened to let it grow (47,000 or 69,000 ops/s). */
const IOREDIS_SEMI_SPACE_MB = 16;
/** An event loop that never sleeps makes garbage in every turn: at 6 MB, pauses took 5 % of the time in one run, at 48 MB below 2 % in another. */
const SPINNING_YOUNG_GENERATION_MB = 48;

interface Thread {
  worker: Worker;
  isReady: boolean;
  preload: { done: number; total: number; failed: number | null; lastReason: string };
  isFinished: boolean;
  /** When its part of the limit of operations had begun; null: not yet, or there is no limit. */
  exhaustedUs: number | null;
}

export class LoadRunner {
  /** Resolves when every operation has ended and every interval is out; rejects with a KvbenchError when a worker failed. */
  readonly finished: Promise<void>;
  /** Complete when the load has finished; null: the plan keeps none. */
  readonly ledger: LedgerMemory | null;
  /** Of each worker, operations that ended ok by slot; empty where there is one shard. */
  readonly slotCounts: readonly Uint32Array[];
  readonly #plan: Plan;
  /** By worker. */
  readonly #endpoints: readonly LoadEndpoints[];
  readonly #sink: RunSink;
  readonly #folder: string | null;
  readonly #threads: Thread[] = [];
  /** Intervals that not every worker has sent yet, by index. */
  readonly #partial = new Map<number, WorkerInterval[]>();
  #nextInterval = 0;
  #failure: KvbenchError | null = null;
  #isTerminated = false;
  /** Looks whether what somebody waits for has come true; run after every message. */
  #checks: (() => void)[] = [];
  #onProgress: (done: number, total: number) => void = () => {};
  #pacing: PacingHelper | null = null;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #operationNames: OperationName[];
  #t0Us = 0;
  #runningPhase: number | null = null;
  #nextPhase = 0;
  #isLoadOver = false;

  /**
   * @param endpoints the same for all workers, or one for each
   * @param folder where operation logs go, if the plan wants them
   */
  constructor(plan: Plan, endpoints: LoadEndpoints | readonly LoadEndpoints[], sink: RunSink, folder: string | null = null) {
    this.#plan = plan;
    this.#operationNames = operationsOfPlan(plan);
    this.#endpoints = 'mode' in endpoints ? Array.from({ length: plan.load.threads }, () => endpoints) : endpoints;
    this.#sink = sink;
    this.#folder = folder;
    this.ledger = makeLedgerMemory(plan, plan.load.threads);
    this.slotCounts = makeSlotCounts(this.#endpoints[0]?.shardCount ?? 1, plan.load.threads);
    this.finished = this.#until(() => this.#threads.length > 0 && this.#threads.every((thread) => thread.isFinished));
    this.finished.then(
      () => {
        // On a busy machine the workers can be done before our own timer says that the load is over.
        const nowUs = monotonicUs() - this.#t0Us;
        this.#endLoad(Math.min(nowUs, loadEndUs(this.#plan)));
        this.#emit({ tUs: nowUs, type: 'run', state: 'drained' });
        void this.#pacing?.stop();
      },
      () => {},
    );
  }

  /** The shard of each slot, as at t0. */
  get shardOfSlot(): Uint16Array {
    return this.#endpoints[0]?.shardOfSlot ?? new Uint16Array(0);
  }

  /** Starts the workers; resolves when all of them are connected. Throws TARGET_UNREACHABLE or WORKER_FAILED. */
  async connect(): Promise<void> {
    const workers = this.#plan.load.threads;
    if (this.#plan.load.readFrom === 'replica' && this.#endpoints[0]?.mode === 'standalone') {
      throw new KvbenchError(
        'INVALID_PROFILE',
        'load.readFrom: replica, but the target is a standalone server, of which kvbench knows no replica',
        'Name a cluster, or write readFrom: master.',
      );
    }
    // Of an external target it is known only now that it is a cluster.
    const astray = this.#endpoints[0]?.mode === 'cluster' ? this.#plan.load.workload.commands?.find((command) => !hasKey(command)) : undefined;
    if (astray !== undefined) {
      throw new KvbenchError(
        'INVALID_PROFILE',
        `the command ${astray.name} (${astray.text}) has no __key__, but the target is a cluster, where the key says which node a command goes to`,
        'Give it a __key__, or leave it out.',
      );
    }
    if (this.#plan.load.pacing === 'thread') {
      this.#pacing = startPacingHelper(workers, (error) =>
        this.#fail(new KvbenchError('WORKER_FAILED', `the pacing thread crashed: ${error.message}`, undefined, error)),
      );
    }
    const pacingMemory = this.#pacing?.memory ?? null;
    const release = this.#plan.load.client === 'ioredis' ? startWithSemiSpace(IOREDIS_SEMI_SPACE_MB) : () => {};
    const hasLog = this.#plan.load.opsLog === true && this.#folder !== null;
    for (const [worker, endpoints] of this.#endpoints.entries()) {
      const logFile = hasLog ? join(this.#folder ?? '', `ops-${worker}.ndjson`) : null;
      this.#startWorker({
        worker,
        workers,
        plan: this.#plan,
        endpoints,
        pacingMemory,
        ledger: this.ledger,
        slotCounts: this.slotCounts[worker] ?? null,
        logFile,
      });
    }
    await this.#until(() => this.#threads.every((thread) => thread.isReady)).finally(release);
  }

  /** Writes all keys of a workload that wants it. Throws when some could not be written. */
  async preload(onProgress: (done: number, total: number) => void): Promise<void> {
    if (!this.#plan.load.workload.preload) return;
    this.#onProgress = onProgress;
    this.#post({ type: 'preload' });
    await this.#until(() => this.#threads.every((thread) => thread.preload.failed !== null));
    const failed = this.#threads.reduce((sum, thread) => sum + (thread.preload.failed ?? 0), 0);
    const reason = this.#threads.find((thread) => thread.preload.lastReason !== '')?.preload.lastReason;
    if (failed === 0) return;
    throw new KvbenchError(
      'TARGET_REFUSED',
      `${failed} of ${this.#plan.load.workload.keys.count} keys could not be written before the load (last answer: ${reason})`,
      'Look at the memory limit, the permissions of the user and the state of the target, or set `preload: false` in the workload.',
    );
  }

  /** @param t0Us start of the first phase in machine monotonic µs, a little ahead */
  start(t0Us: number): void {
    this.#t0Us = t0Us;
    this.#post({ type: 'start', t0Us });
    for (const phase of this.#plan.load.phases) {
      this.#at(phase.startUs, () => this.#phaseStarts(phase.index));
      this.#at(phase.startUs + phase.durationUs, () => this.#phaseEnds(phase.startUs + phase.durationUs));
    }
    this.#at(loadEndUs(this.#plan), () => this.#endLoad(loadEndUs(this.#plan)));
  }

  /** drain: nothing new, what is out may end by its deadline. now: everything open ends as unsent or unknown. */
  stop(mode: 'drain' | 'now'): void {
    const nowUs = Math.max(0, monotonicUs() - this.#t0Us);
    if (this.#t0Us !== 0) this.#endLoad(nowUs);
    this.#post({ type: 'stop', mode });
  }

  /** Ends the threads at once; what they had not told is lost. Safe to call twice. */
  async terminate(): Promise<void> {
    this.#isTerminated = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...this.#threads.map(({ worker }) => worker.terminate()), this.#pacing?.stop()]);
  }

  #startWorker(init: WorkerInit): void {
    const { client, pacing } = init.plan.load;
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: init,
      name: `kvbench-load-${init.worker}`,
      resourceLimits: { maxYoungGenerationSizeMb: pacing === 'spin' ? SPINNING_YOUNG_GENERATION_MB : YOUNG_GENERATION_MB[client] },
    });
    const thread: Thread = {
      worker,
      isReady: false,
      preload: { done: 0, total: 0, failed: null, lastReason: '' },
      isFinished: false,
      exhaustedUs: null,
    };
    this.#threads.push(thread);
    worker.on('message', (message: FromWorker) => this.#received(init.worker, thread, message));
    worker.on('error', (error) =>
      this.#fail(new KvbenchError('WORKER_FAILED', `load worker ${init.worker} crashed: ${error.message}`, undefined, error)),
    );
    worker.on('exit', (code) => {
      if (!thread.isFinished && !this.#isTerminated)
        this.#fail(new KvbenchError('WORKER_FAILED', `load worker ${init.worker} ended with code ${code}`));
    });
  }

  #received(worker: number, thread: Thread, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        thread.isReady = true;
        break;
      case 'preloadProgress':
        thread.preload.done = message.done;
        thread.preload.total = message.total;
        this.#tellProgress();
        break;
      case 'preloaded':
        thread.preload = { done: message.done, total: message.done + message.failed, failed: message.failed, lastReason: message.lastReason };
        this.#tellProgress();
        break;
      case 'interval':
        this.#addInterval(message.interval);
        break;
      case 'event':
        this.#emit(message.event);
        break;
      case 'exhausted':
        thread.exhaustedUs = message.tUs;
        this.#endIfExhausted();
        break;
      case 'finished': {
        const tUs = monotonicUs() - this.#t0Us;
        thread.isFinished = true;
        this.#emit({ tUs, type: 'client', worker, ...message.counters });
        this.#emit({ tUs, type: 'thread', worker, cpuUs: message.cpuUs, rssBytesMax: message.rssBytesMax });
        this.#mergeComplete();
        break;
      }
      case 'failed': {
        const code: ErrorCode = message.code in errorTable ? (message.code as ErrorCode) : 'WORKER_FAILED';
        this.#fail(new KvbenchError(code, message.message, message.hint));
        break;
      }
      default:
        unreachable(message);
    }
    this.#check();
  }

  /** The load is over when every worker's part of the limit has begun. */
  #endIfExhausted(): void {
    if (this.#isLoadOver) return;
    const times = this.#threads.flatMap(({ exhaustedUs }) => exhaustedUs ?? []);
    if (times.length < this.#threads.length) return;
    this.#endLoad(Math.max(...times), 'operations');
    this.#post({ type: 'stop', mode: 'drain' });
  }

  #addInterval(interval: WorkerInterval): void {
    const parts = this.#partial.get(interval.index);
    if (parts === undefined) this.#partial.set(interval.index, [interval]);
    else parts.push(interval);
    this.#mergeComplete();
  }

  /** Emits the intervals that every worker has sent, in order. A worker that has finished has nothing more to say. */
  #mergeComplete(): void {
    for (;;) {
      const parts = this.#partial.get(this.#nextInterval);
      if (parts === undefined) return;
      const said = new Set(parts.map((part) => part.worker));
      if (this.#threads.some((thread, worker) => !thread.isFinished && !said.has(worker))) return;
      this.#partial.delete(this.#nextInterval);
      this.#sink.interval(this.#merged(this.#nextInterval++, parts));
    }
  }

  #merged(index: number, parts: readonly WorkerInterval[]): IntervalRecord {
    const record = mergeIntervals(index, parts, this.#operationNames);
    if (this.#plan.load.clientGroups === undefined) return record;
    return { ...record, groups: groupRecords(parts, (worker) => clientGroupOf(this.#plan, worker)) };
  }

  #tellProgress(): void {
    const done = this.#threads.reduce((sum, thread) => sum + thread.preload.done, 0);
    this.#onProgress(done, this.#plan.load.workload.keys.count);
  }

  #phaseStarts(index: number): void {
    const phase = this.#plan.load.phases[index];
    if (phase === undefined || this.#isLoadOver || index < this.#nextPhase) return;
    this.#phaseEnds(phase.startUs);
    this.#runningPhase = index;
    this.#nextPhase = index + 1;
    this.#emit({ tUs: phase.startUs, type: 'phase', phase: index, name: phase.name, state: 'start' });
  }

  #phaseEnds(tUs: number): void {
    const phase = this.#runningPhase === null ? undefined : this.#plan.load.phases[this.#runningPhase];
    if (phase === undefined) return;
    this.#runningPhase = null;
    this.#emit({ tUs, type: 'phase', phase: phase.index, name: phase.name, state: 'end' });
  }

  /** Tells everything that had to be told up to this time, in order. */
  /** @param why when it is not the end of its time */
  #endLoad(tUs: number, why?: 'operations'): void {
    for (const phase of this.#plan.load.phases) if (phase.startUs < tUs) this.#phaseStarts(phase.index);
    this.#phaseEnds(tUs);
    this.#loadEnds(tUs, why);
  }

  #loadEnds(tUs: number, why?: 'operations'): void {
    if (this.#isLoadOver) return;
    this.#isLoadOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#emit({ tUs, type: 'run', state: 'loadEnd', ...(why === undefined ? {} : { detail: why }) });
  }

  /** Runs at a time since t0. */
  #at(tUs: number, action: () => void): void {
    const waitMs = Math.max(0, Math.ceil((this.#t0Us + tUs - monotonicUs()) / 1000));
    this.#timers.push(setTimeout(action, waitMs));
  }

  #emit(event: EventRecord): void {
    this.#sink.event(event);
  }

  #post(message: ToWorker): void {
    for (const { worker, isFinished } of this.#threads) if (!isFinished) worker.postMessage(message);
  }

  #fail(error: KvbenchError): void {
    this.#failure ??= error;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#check();
  }

  #check(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves when the condition holds after a message of a worker; rejects when a worker fails before. */
  #until(holds: () => boolean): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (this.#failure === null && !holds()) return;
        this.#checks = this.#checks.filter((other) => other !== check);
        if (this.#failure !== null) reject(this.#failure);
        else resolve();
      };
      this.#checks.push(check);
      check();
    });
    promise.catch(() => {
      // Whoever awaits it sees the error; nobody awaiting it is no crash.
    });
    return promise;
  }
}
