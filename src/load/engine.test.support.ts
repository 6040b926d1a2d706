/** A load engine with a clock and a client made of plain data, for the tests beside it. Never used by the product. */
import assert from 'node:assert/strict';
import type { OperationName, PhasePlan, Plan, WorkloadPlan } from '../plan/plan.js';
import type { EventRecord } from '../result/records.js';
import type { OutcomeIndex } from './client.js';
import { Engine } from './engine.js';
import type { WorkerInterval } from './messages.js';
import { NO_REASON } from './reasonIndex.js';
import { Routing } from './routing.js';

/** Where the machine's clock stands at t0: times of the client are not times since t0. */
export const T0_US = 5_000_000_000;

export interface PlanParts {
  phases: PhasePlan[];
  seed?: number;
  maxInFlight?: number;
  maxQueued?: number;
  timeoutUs?: number;
  operations?: Record<OperationName, number>;
  readModifyWrite?: number;
  keys?: Partial<WorkloadPlan['keys']>;
}

export function planOf(parts: PlanParts): Plan {
  return {
    name: 'test',
    description: '',
    seed: parts.seed ?? 1,
    target: { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'redis-server', config: {} },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: 1,
      connections: 1,
      maxInFlight: parts.maxInFlight ?? 1000,
      maxQueued: parts.maxQueued ?? 1000,
      timeoutUs: parts.timeoutUs ?? 500_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'timer',
      workload: {
        name: 'test',
        operations: parts.operations ?? { get: 1, set: 1, incr: 1, del: 1 },
        keys: { count: 100, prefix: 'k:', perTag: 0, distribution: { kind: 'uniform' }, ...parts.keys },
        values: { kind: 'fixed', bytes: 10 },
        ttlMs: 0,
        preload: false,
        readModifyWrite: parts.readModifyWrite ?? 0,
        checksum: false,
      },
      phases: parts.phases,
    },
    chaos: [],
    objective: [],
    thresholds: [],
    allow: [],
  };
}

/** An open phase at a constant rate. */
export function openPhase(ratePerSec: number, durationUs: number, more: Partial<PhasePlan> = {}): PhasePlan {
  return {
    index: 0,
    name: 'open',
    record: true,
    startUs: 0,
    durationUs,
    kind: 'open',
    arrivals: 'constant',
    rateStartPerSec: ratePerSec,
    rateEndPerSec: ratePerSec,
    operationCount: Math.floor((ratePerSec * durationUs) / 1_000_000),
    firstOperation: 0,
    ...more,
  } as PhasePlan;
}

export function closedPhase(clients: number, pipeline: number, durationUs: number): PhasePlan {
  return { index: 0, name: 'closed', record: true, startUs: 0, durationUs, kind: 'closed', clients, pipeline, operationLimit: null };
}

/** What the pretend server does with one operation; null: it never answers. */
export type Answer = { afterUs: number; outcome: OutcomeIndex; reason: number } | null;
export interface SentOperation {
  token: number;
  op: number;
  keyIndex: number;
  shard: number;
  atUs: number;
}

export class EngineHarness {
  nowUs = 0;
  readonly sent: SentOperation[] = [];
  readonly intervals: WorkerInterval[] = [];
  readonly events: EventRecord[] = [];
  finishedCount = 0;
  exhaustedUs: number | null = null;
  /** What the engine said last about its next operation, since t0. */
  nextDueUs = Number.NaN;
  readonly engine: Engine;
  readonly routing: Routing;
  readonly slotCounts = new Uint32Array(16_384);
  #answers: { token: number; sentUs: number; doneUs: number; answer: NonNullable<Answer> }[] = [];

  constructor(
    readonly plan: Plan,
    answer: (operation: SentOperation) => Answer,
    { worker = 0, workers = 1, shardCount = 1, sendsByTurn = false } = {},
  ) {
    const shardOfSlot = Uint16Array.from({ length: 16384 }, (_, slot) => Math.floor((slot * shardCount) / 16384));
    this.routing = new Routing(plan.load.workload.keys, shardOfSlot, shardCount);
    this.engine = new Engine({
      plan,
      worker,
      workers,
      routing: this.routing,
      slotCounts: this.slotCounts,
      nowUs: () => T0_US + this.nowUs,
      generatorSample: (dispatchLagP99Us) => ({
        worker,
        eventLoopUtilization: 0,
        eventLoopDelayP99Us: 0,
        dispatchLagP99Us,
        cpuUs: 0,
        rssBytes: 0,
      }),
      expect: (dueUs) => {
        this.nextDueUs = dueUs - T0_US;
      },
      client: {
        sendsByTurn,
        send: (token, op, keyIndex) => {
          const operation = { token, op, keyIndex, shard: this.routing.shardOf(op === 2, keyIndex), atUs: this.nowUs };
          this.sent.push(operation);
          const given = answer(operation);
          if (given !== null) this.#answers.push({ token, sentUs: this.nowUs, doneUs: this.nowUs + given.afterUs, answer: given });
        },
        flush: () => {},
      },
      output: {
        interval: (interval) => this.intervals.push(interval),
        event: (event) => this.events.push(event),
        exhausted: (tUs) => {
          this.exhaustedUs = tUs;
        },
        finished: () => this.finishedCount++,
      },
    });
    this.engine.start(T0_US);
  }

  /** Lets time pass in steps of a tick; answers arrive at their time. */
  run(untilUs: number, stepUs = 1000): void {
    while (this.nowUs < untilUs && this.finishedCount === 0) {
      this.nowUs += stepUs;
      const arrived = this.#answers.filter((answer) => answer.doneUs <= this.nowUs).sort((a, b) => a.doneUs - b.doneUs);
      this.#answers = this.#answers.filter((answer) => answer.doneUs > this.nowUs);
      const tickUs = this.nowUs;
      for (const { token, sentUs, doneUs, answer } of arrived) {
        this.nowUs = Math.max(doneUs, tickUs - stepUs);
        this.engine.completed(token, answer.outcome, answer.outcome === 0 ? NO_REASON : answer.reason, T0_US + sentUs, T0_US + this.nowUs);
      }
      this.nowUs = tickUs;
      this.engine.tick();
    }
  }

  /** Runs to the end of load and drain. */
  runToEnd(limitUs = 600_000_000): void {
    this.run(limitUs);
    assert.equal(this.finishedCount, 1, 'the engine must finish');
  }

  totals(): { planned: number; ok: number; fail: number; info: number; dropped: number; responses: number; byReason: Map<number, number> } {
    const totals = { planned: 0, ok: 0, fail: 0, info: 0, dropped: 0, responses: 0, byReason: new Map<number, number>() };
    for (const cell of this.intervals.flatMap((interval) => interval.cells)) {
      totals.planned += cell.planned;
      totals.ok += cell.byOutcome[0];
      totals.fail += cell.byOutcome[1];
      totals.info += cell.byOutcome[2];
      totals.dropped += cell.byOutcome[3];
      totals.responses += cell.response.counts.reduce((sum, count) => sum + count, 0);
      for (const [reason, count] of cell.byReason) totals.byReason.set(reason, (totals.byReason.get(reason) ?? 0) + count);
    }
    return totals;
  }
}
