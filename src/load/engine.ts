/**
 * The load engine of one worker: admits what is due, queues it per shard, hands it to the client, and gives every operation exactly
 * one end (ok, fail, info or dropped). Made by worker.ts. It owns tokens, queues and deadlines; it must never lose an operation,
 * wait for one shard on behalf of another, or allocate per operation.
 */
import { operationsOfPlan, traitsOf } from '../plan/operations.js';
import { loadEndUs, type Plan } from '../plan/plan.js';
import { type EventRecord, type GeneratorSample, INTERVAL_US } from '../result/records.js';
import { NO_VERSION } from '../workload/valueStamp.js';
import { type Client, OutcomeIndex } from './client.js';
import { ClosedLoop } from './closedLoop.js';
import type { Ledger } from './ledger.js';
import type { WorkerInterval } from './messages.js';
import { type Admission, OpenLoop } from './openLoop.js';
import { NONE, OpenOperations, RowState } from './openOperations.js';
import type { OperationLog } from './operationLog.js';
import { NO_REASON, reasonIndex } from './reasonIndex.js';
import { Recorder } from './recording.js';
import type { Routing } from './routing.js';
import { ShardQueues } from './shardQueues.js';
import { ShardWatch, STANDSTILL_MIN_US } from './shardWatch.js';
import { GET, INCR, SET, Share, usesOf } from './share.js';
import { WriteLocks } from './writeLocks.js';

/** Service, queue and dispatch lag are reported every this many intervals. */
const INTERVALS_PER_SECOND = 10;
/** The clock is read once for so many operations that come due together, which takes some 10 µs: `dispatchedUs` is exact to that. */
const ADMISSIONS_PER_READING = 16;

/** A reaction to it is a microtask without the asynchronous resource that Node's queueMicrotask makes of each, which costs more than the pump. */
const NOW = Promise.resolve();

export interface EngineOutput {
  /** Called for every interval from 0 on, in order, also for empty ones. */
  interval(interval: WorkerInterval): void;
  event(event: EventRecord): void;
  /** The last phase has a limit of operations, and this worker's part of it has begun. Called once; the load goes on until it is stopped. */
  exhausted(tUs: number): void;
  /** Everything has ended and the last interval is out. Called once. */
  finished(): void;
}

export interface EngineOptions {
  plan: Plan;
  worker: number;
  workers: number;
  routing: Routing;
  client: Pick<Client, 'send' | 'flush' | 'writesEach' | 'sendsByTurn'>;
  output: EngineOutput;
  /** Machine monotonic µs. */
  nowUs: () => number;
  /** Asked once a second. */
  generatorSample: (dispatchLagP99Us: number) => GeneratorSample;
  /** HOT: told again and again when the next operation is due, in machine monotonic µs; Infinity: not known. */
  expect?: (dueUs: number) => void;
  /** Null or absent: none is kept. */
  ledger?: Ledger | null;
  log?: OperationLog | null;
  /** Of the 16,384 slots: operations that ended ok; null or absent: not counted. */
  slotCounts?: Uint32Array | null;
}

/** HOT: all times inside are µs since t0, except what comes from the client. */
export class Engine implements Admission {
  readonly #options: EngineOptions;
  readonly #client: EngineOptions['client'];
  readonly #routing: Routing;
  readonly #timeoutUs: number;
  readonly #maxInFlight: number;
  readonly #maxQueued: number;
  readonly #share: Share;
  readonly #operations: OpenOperations;
  readonly #locks: WriteLocks;
  readonly #recorder: Recorder;
  readonly #reads: Uint8Array;
  readonly #lockers: Uint8Array;
  readonly #watch: ShardWatch;
  readonly #queues: ShardQueues;
  readonly #ledger: Ledger | null;
  readonly #log: OperationLog | null;
  readonly #slotCounts: Uint32Array | null;
  readonly #pump = (): void => {
    try {
      this.#runPump();
    } catch (bug) {
      // Not a rejection that nobody awaits: it ends the worker.
      setImmediate(() => {
        throw bug;
      });
    }
  };
  #pumpIsDue = false;
  #t0Us = 0;
  #phaseIndex = 0;
  #loop: OpenLoop | ClosedLoop | null = null;
  #state: 'idle' | 'loading' | 'draining' | 'finished' = 'idle';
  #isStopped = false;
  #isExhausted = false;
  #loadEndUs: number;
  #intervalIndex = 0;
  #intervalEndUs = INTERVAL_US;
  #lastTickUs = 0;
  /** The last reading of the clock, and for how many more operations it holds: none but while what is due is being admitted. */
  #readingUs = 0;
  #readingHolds = 0;
  readonly #admissionsPerReading: number;
  #expiryWasDelayed = false;

  constructor(options: EngineOptions) {
    const { plan, worker, workers, routing } = options;
    const uses = usesOf(plan.load.workload);
    const shards = routing.shardCount;
    this.#options = options;
    this.#client = options.client;
    this.#admissionsPerReading = options.client.writesEach ? 1 : ADMISSIONS_PER_READING;
    this.#routing = routing;
    this.#timeoutUs = plan.load.timeoutUs;
    this.#maxInFlight = plan.load.maxInFlight;
    this.#maxQueued = plan.load.maxQueued;
    this.#share = new Share(plan, worker, workers);
    const traits = traitsOf(plan.load.workload);
    this.#reads = traits.reads;
    this.#lockers = traits.locks;
    this.#recorder = new Recorder(operationsOfPlan(plan).length);
    this.#operations = new OpenOperations(shards * 2);
    this.#locks = new WriteLocks(plan.load.workload.keys.count, this.#share.writers, { ordinary: uses.ordinaryWrites, counters: uses.counters });
    this.#watch = new ShardWatch(worker, this.#operations, uses, (event) => options.output.event(event));
    this.#queues = new ShardQueues(this.#operations, shards);
    this.#ledger = options.ledger ?? null;
    this.#log = options.log ?? null;
    this.#slotCounts = options.slotCounts ?? null;
    this.#loadEndUs = loadEndUs(plan);
  }

  /** @param t0Us start of the first phase, machine monotonic µs, a little ahead */
  start(t0Us: number): void {
    this.#t0Us = t0Us;
    this.#state = 'loading';
    this.#startPhase(0);
    this.#expectNext();
  }

  /** To be called about every millisecond. */
  tick(): void {
    const nowUs = this.#options.nowUs() - this.#t0Us;
    if (nowUs < 0 || this.#state === 'idle' || this.#state === 'finished') return;
    this.#takeReading(nowUs);
    this.#advance(nowUs);
    // After a standstill the replies that wait in the sockets are read before deadlines are checked.
    const wasBlocked = nowUs - this.#lastTickUs > STANDSTILL_MIN_US;
    this.#lastTickUs = nowUs;
    this.#watch.ticked(nowUs);
    this.#expiryWasDelayed = wasBlocked && !this.#expiryWasDelayed;
    if (!this.#expiryWasDelayed) this.#expire(nowUs);
    this.#runPump();
    if (this.#state === 'draining' && this.#operations.size === 0) this.#finish(nowUs);
  }

  /** The client's `Completion`. Tokens of operations that ended before (by their deadline) are ignored. */
  completed(token: number, outcome: OutcomeIndex, reason: number, sentUs: number, doneUs: number, attempts = 1): void {
    if (this.#state !== 'loading' && this.#state !== 'draining') return;
    const done = doneUs - this.#t0Us;
    if (done >= this.#intervalEndUs) this.#advance(done);
    const row = this.#operations.rowOf(token);
    if (row === NONE || this.#operations.state[row] !== RowState.inFlight) return;
    const sent = sentUs < 0 ? (this.#operations.sentUs[row] as number) : sentUs - this.#t0Us;
    this.#end(row, outcome, reason, sent, done, attempts);
    this.#duePump();
  }

  /** drain: nothing new comes due, what is open runs on. now: everything open ends at once. */
  stop(mode: 'drain' | 'now'): void {
    if (this.#state === 'finished') return;
    if (this.#state === 'idle') {
      this.#state = 'finished';
      this.#options.output.finished();
      return;
    }
    const nowUs = Math.max(0, this.#options.nowUs() - this.#t0Us);
    this.#advance(nowUs);
    if (this.#state === 'loading') this.#endLoad(nowUs);
    if (mode === 'drain') return;
    this.#isStopped = true;
    for (let list = 0; list < this.#operations.listCount; list++) {
      for (let row = this.#operations.oldest(list); row !== NONE; row = this.#operations.oldest(list)) {
        if (this.#operations.state[row] === RowState.inFlight) {
          this.#end(row, OutcomeIndex.info, reasonIndex.closed, this.#operations.sentUs[row] as number, nowUs);
        } else {
          this.#endUnsent(row, OutcomeIndex.dropped, reasonIndex.unsent, nowUs);
        }
      }
    }
    this.#finish(nowUs);
  }

  /** An operation is due: sends, parks, queues or drops it. Called by the loops of the phases. */
  admit(phase: number, op: number, keyIndex: number, valueBytes: number, intendedUs: number, lane: number): void {
    const isCounter = op === INCR;
    const shard = this.#routing.shardOf(isCounter, keyIndex);
    const list = shard * 2 + (this.#reads[op] === 1 ? 0 : 1);
    const dispatchedUs = this.#admissionUs();
    this.#recorder.planned(phase, op, intendedUs, dispatchedUs - intendedUs);
    this.#watch.asked(list);
    const isLate = dispatchedUs - intendedUs >= this.#timeoutUs;
    const canSend = (this.#queues.inFlight[shard] as number) < this.#maxInFlight && this.#queues.head(shard) === NONE;
    const holder = this.#lockers[op] === 0 ? NONE : this.#locks.holder(isCounter, keyIndex);
    const mustPark = canSend && holder !== NONE;
    const isFull = ((!canSend || mustPark) && (this.#queues.waiting[shard] as number) >= this.#maxQueued) || this.#operations.isFull;
    if (isLate || isFull) {
      const outcome = isLate ? OutcomeIndex.fail : OutcomeIndex.dropped;
      const reason = isLate ? reasonIndex['queue-timeout'] : reasonIndex['queue-full'];
      this.#recorder.completed(phase, op, intendedUs, dispatchedUs, outcome, reason, 0, dispatchedUs);
      this.#watch.ended(list, false, intendedUs, dispatchedUs);
      this.#log?.add(op, keyIndex, intendedUs, NONE, dispatchedUs, outcome, NONE, 0);
      if (lane !== NONE) this.#laneEnded(phase, lane, false, dispatchedUs);
      return;
    }
    const row = this.#operations.open(list);
    this.#operations.operation[row] = op;
    this.#operations.phase[row] = phase;
    this.#operations.keyIndex[row] = keyIndex;
    this.#operations.valueBytes[row] = valueBytes;
    this.#operations.intendedUs[row] = intendedUs;
    this.#operations.dispatchedUs[row] = dispatchedUs;
    this.#operations.lane[row] = lane;
    if (!canSend) this.#queues.enqueue(row, shard);
    else if (mustPark) this.#queues.park(row, holder, shard);
    else this.#send(row, shard, dispatchedUs);
  }

  /** Admits what is due and closes the intervals that end by `nowUs`, in the order in which these happened. */
  #advance(nowUs: number): void {
    while (nowUs >= this.#intervalEndUs) {
      this.#admitDue(this.#intervalEndUs - 1);
      this.#closeInterval(this.#intervalEndUs, false);
      this.#readingHolds = 0;
    }
    this.#admitDue(nowUs);
    this.#readingHolds = 0;
  }

  /** HOT: when an operation is admitted, now or a few operations ago. */
  #admissionUs(): number {
    if (this.#readingHolds-- <= 0) this.#takeReading(this.#options.nowUs() - this.#t0Us);
    return this.#readingUs;
  }

  #takeReading(nowUs: number): void {
    this.#readingUs = nowUs;
    this.#readingHolds = this.#admissionsPerReading - 1;
  }

  #admitDue(nowUs: number): void {
    while (this.#loop !== null && nowUs >= this.#loop.phase.startUs) {
      const endUs = this.#loop.phase.startUs + this.#loop.phase.durationUs;
      if (this.#loop instanceof OpenLoop) this.#loop.admitDue(Math.min(nowUs, endUs - 1));
      else this.#issue(this.#loop, nowUs);
      if (nowUs < endUs) return;
      this.#startPhase(this.#phaseIndex + 1);
    }
  }

  #issue(loop: ClosedLoop, nowUs: number): void {
    loop.issue(nowUs);
    if (!loop.isExhausted || this.#isExhausted) return;
    this.#isExhausted = true;
    this.#options.output.exhausted(nowUs);
  }

  #startPhase(index: number): void {
    const phase = this.#options.plan.load.phases[index];
    this.#phaseIndex = index;
    if (phase === undefined) {
      this.#endLoad(this.#loadEndUs);
      return;
    }
    this.#loop = phase.kind === 'open' ? new OpenLoop(phase, this.#share, this) : new ClosedLoop(phase, this.#share, this);
  }

  #endLoad(atUs: number): void {
    this.#loop = null;
    this.#loadEndUs = atUs;
    this.#state = 'draining';
  }

  #finish(nowUs: number): void {
    this.#advance(nowUs);
    this.#closeInterval(this.#intervalEndUs, true);
    this.#state = 'finished';
    this.#watch.closeSpans(this.#loadEndUs);
    this.#options.output.finished();
  }

  #closeInterval(endUs: number, isLast: boolean): void {
    const index = this.#intervalIndex++;
    const endsSecond = isLast || (index + 1) % INTERVALS_PER_SECOND === 0;
    // A fraction of a second says little about the generator: the last one is left out when it is short.
    const isWholeEnough = index < INTERVALS_PER_SECOND || index % INTERVALS_PER_SECOND >= INTERVALS_PER_SECOND / 2;
    this.#intervalEndUs += INTERVAL_US;
    this.#options.output.interval({
      worker: this.#options.worker,
      index,
      cells: this.#recorder.takeCells(),
      shards: this.#watch.take(endUs),
      inFlight: sum(this.#queues.inFlight),
      queued: sum(this.#queues.waiting),
      rest: endsSecond ? this.#recorder.takeRest() : [],
      generator: endsSecond && isWholeEnough ? this.#options.generatorSample(this.#recorder.dispatchLagP99Us) : null,
    });
  }

  /** Runs soon: once for what one read has completed, or for all completions of this turn of the event loop. */
  #duePump(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    if (this.#loop instanceof ClosedLoop && this.#client.sendsByTurn) setImmediate(this.#pump);
    else NOW.then(this.#pump);
  }

  #runPump(): void {
    this.#pumpIsDue = false;
    if (this.#state === 'finished') return;
    const nowUs = this.#options.nowUs() - this.#t0Us;
    for (let shard = 0; shard < this.#queues.shardCount; shard++) this.#drainQueue(shard, nowUs);
    this.#takeReading(nowUs);
    this.#advance(nowUs);
    this.#client.flush();
    this.#expectNext();
  }

  #expectNext(): void {
    if (this.#options.expect === undefined) return;
    const phase = this.#loop?.phase;
    const dueUs = phase === undefined ? Number.POSITIVE_INFINITY : Math.min(this.#loop?.nextDueUs() ?? 0, phase.startUs + phase.durationUs);
    this.#options.expect(dueUs + this.#t0Us);
  }

  #drainQueue(shard: number, nowUs: number): void {
    while (this.#queues.head(shard) !== NONE && (this.#queues.inFlight[shard] as number) < this.#maxInFlight) {
      const row = this.#queues.dequeue(shard);
      const holder = this.#holderOf(row);
      if (this.#isPastDeadline(row, nowUs)) this.#endUnsent(row, OutcomeIndex.fail, reasonIndex['queue-timeout'], nowUs);
      else if (holder !== NONE) this.#queues.park(row, holder, shard);
      else this.#send(row, shard, nowUs);
    }
  }

  /** Ends what is past its deadline: the unsent first, then what the client has. Lists and queues are in order of deadlines. */
  #expire(nowUs: number): void {
    for (let shard = 0; shard < this.#queues.shardCount; shard++) {
      while (this.#queues.head(shard) !== NONE && this.#isPastDeadline(this.#queues.head(shard), nowUs)) {
        this.#endUnsent(this.#queues.dequeue(shard), OutcomeIndex.fail, reasonIndex['queue-timeout'], nowUs);
      }
    }
    for (let list = 0; list < this.#operations.listCount; list++) {
      for (let row = this.#operations.oldest(list); row !== NONE; row = this.#operations.oldest(list)) {
        if (!this.#isPastDeadline(row, nowUs) || this.#operations.state[row] !== RowState.inFlight) break;
        this.#end(row, OutcomeIndex.info, reasonIndex.timeout, this.#operations.sentUs[row] as number, nowUs);
      }
    }
  }

  #isPastDeadline(row: number, nowUs: number): boolean {
    return nowUs - (this.#operations.intendedUs[row] as number) >= this.#timeoutUs;
  }

  #holderOf(row: number): number {
    const op = this.#operations.operation[row] as number;
    return this.#lockers[op] === 0 ? NONE : this.#locks.holder(op === INCR, this.#operations.keyIndex[row] as number);
  }

  #send(row: number, shard: number, nowUs: number): void {
    const op = this.#operations.operation[row] as number;
    const keyIndex = this.#operations.keyIndex[row] as number;
    this.#operations.state[row] = RowState.inFlight;
    this.#operations.sentUs[row] = nowUs;
    this.#queues.inFlight[shard] = (this.#queues.inFlight[shard] as number) + 1;
    if (this.#lockers[op] === 1) this.#locks.setHolder(op === INCR, keyIndex, row);
    const valueBytes = op === GET ? 0 : (this.#operations.valueBytes[row] as number);
    const version = this.#ledger === null ? NO_VERSION : this.#ledger.sent(row, op, keyIndex, valueBytes);
    this.#client.send(this.#operations.tokenOf(row), op, keyIndex, valueBytes, version);
  }

  /** Ends an operation that the client had. */
  #end(row: number, outcome: OutcomeIndex, reason: number, sentUs: number, doneUs: number, attempts = 1): void {
    const shard = (this.#operations.list[row] as number) >> 1;
    const op = this.#operations.operation[row] as number;
    const keyIndex = this.#operations.keyIndex[row] as number;
    const parked = this.#lockers[op] === 0 ? NONE : (this.#operations.link[row] as number);
    const parkedTail = this.#operations.chainTail[row] as number;
    this.#queues.inFlight[shard] = (this.#queues.inFlight[shard] as number) - 1;
    if (this.#ledger !== null) this.#ledger.ended(row, this.#operations.tokenOf(row), op, keyIndex, outcome, doneUs, attempts);
    if (this.#log !== null) this.#logRow(this.#log, row, sentUs, doneUs, outcome, attempts);
    this.#close(row, outcome, reason, sentUs, doneUs);
    if (this.#lockers[op] === 1) this.#passLock(op === INCR, keyIndex, shard, parked, parkedTail, doneUs);
  }

  /** The key of a write that ended goes to the first one parked behind it that is still in time; it takes the slot just freed. */
  #passLock(isCounter: boolean, keyIndex: number, shard: number, firstParked: number, parkedTail: number, nowUs: number): void {
    this.#locks.setHolder(isCounter, keyIndex, NONE);
    if (this.#isStopped) return;
    let row = firstParked;
    while (row !== NONE) {
      const next = this.#operations.link[row] as number;
      if (!this.#isPastDeadline(row, nowUs)) {
        this.#queues.unparked(shard);
        this.#operations.chainTail[row] = parkedTail === row ? NONE : parkedTail;
        this.#send(row, shard, nowUs);
        return;
      }
      this.#queues.unparked(shard);
      this.#logUnsent(row, nowUs, OutcomeIndex.fail);
      this.#close(row, OutcomeIndex.fail, reasonIndex['queue-timeout'], 0, nowUs);
      row = next;
    }
  }

  /** Ends an operation that the client never had. It has left its queue already, unless everything is being stopped. */
  #endUnsent(row: number, outcome: OutcomeIndex, reason: number, doneUs: number): void {
    if (this.#isStopped) this.#queues.unparked((this.#operations.list[row] as number) >> 1);
    this.#logUnsent(row, doneUs, outcome);
    this.#close(row, outcome, reason, 0, doneUs);
  }

  #logUnsent(row: number, doneUs: number, outcome: OutcomeIndex): void {
    const { operation, keyIndex, intendedUs } = this.#operations;
    this.#log?.add(operation[row] as number, keyIndex[row] as number, intendedUs[row] as number, NONE, doneUs, outcome, NONE, 0);
  }

  #logRow(log: OperationLog, row: number, sentUs: number, doneUs: number, outcome: OutcomeIndex, attempts: number): void {
    const { operation, keyIndex, intendedUs } = this.#operations;
    const version = this.#ledger === null ? NONE : this.#ledger.lastVersion;
    log.add(operation[row] as number, keyIndex[row] as number, intendedUs[row] as number, sentUs, doneUs, outcome, version, attempts);
  }

  #close(row: number, outcome: OutcomeIndex, reason: number, sentUs: number, doneUs: number): void {
    const operations = this.#operations;
    const list = operations.list[row] as number;
    const phase = operations.phase[row] as number;
    const intendedUs = operations.intendedUs[row] as number;
    const lane = operations.lane[row] as number;
    const isOk = outcome === OutcomeIndex.ok;
    const dispatchedUs = operations.dispatchedUs[row] as number;
    this.#recorder.completed(
      phase,
      operations.operation[row] as number,
      intendedUs,
      dispatchedUs,
      outcome,
      isOk ? NO_REASON : reason,
      sentUs,
      doneUs,
    );
    const followBytes = isOk && operations.operation[row] === GET ? (operations.valueBytes[row] as number) : 0;
    const keyIndex = operations.keyIndex[row] as number;
    if (isOk && this.#slotCounts !== null) {
      const slot = this.#routing.slotOf(operations.operation[row] === INCR, keyIndex);
      this.#slotCounts[slot] = (this.#slotCounts[slot] as number) + 1;
    }
    operations.close(row);
    this.#watch.ended(list, isOk, intendedUs, doneUs);
    // The write of a pair is due when its read is answered. After the load nothing new begins.
    if (followBytes > 0 && this.#state === 'loading') {
      this.admit(phase, SET, keyIndex, followBytes, doneUs, lane);
      this.#readingHolds = 0;
    } else if (lane !== NONE) this.#laneEnded(phase, lane, isOk, doneUs);
  }

  /** The lanes of a phase that is over issue nothing more. */
  #laneEnded(phase: number, lane: number, isOk: boolean, doneUs: number): void {
    if (this.#loop instanceof ClosedLoop && this.#loop.phase.index === phase) this.#loop.ended(lane, isOk, doneUs);
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
