/**
 * Test support: a run made up from a few words, as records that keep every rule of real ones (conservation, spans, overdue times).
 * Each shard gets operations at even times, half reads and half writes; outages and slow times are given. Deterministic.
 */
import { type AccessKind, loadEndUs, type OperationName, type PhasePlan } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import {
  type CellRecord,
  type EventOf,
  type EventRecord,
  INTERVAL_US,
  type IntervalRecord,
  type OperationCell,
  type Reason,
  type SparseHistogram,
} from '../result/records.js';
import { sparseFromValues } from '../result/sparseHistogram.js';
import { type SyntheticOptions, syntheticPlan, syntheticRecord } from './syntheticPlan.test.support.js';

const SERVICE_US = 800;
const OVERDUE_US = 100_000;

interface Operation {
  index: number;
  shard: number;
  worker: number;
  op: OperationName;
  kind: AccessKind;
  phase: number;
  intendedUs: number;
  doneUs: number;
  ok: boolean;
  reason: Reason | null;
}

/** The run, as `readRun` would give it. */
export function syntheticRun(options: SyntheticOptions = {}): RunData {
  const plan = syntheticPlan(options);
  const operations = plan.load.phases.flatMap((phase) => operationsOf(phase, options));
  const endUs = loadEndUs(plan);
  let intervals = intervalsOf(operations, endUs, options.workers ?? 2);
  const state = (s: EventOf<'run'>['state'], tUs: number): EventRecord => ({ type: 'run', state: s, tUs });
  const counters = Array.from({ length: options.workers ?? 2 }, (_, worker): EventRecord[] => [
    { type: 'client', worker, attempts: operations.length / 2, retries: 0, reconnects: 1, slotRefreshes: 2, tUs: endUs },
    { type: 'thread', worker, cpuUs: 1_500_000, rssBytesMax: 90_000_000, tUs: endUs },
  ]);
  let events = [
    state('t0', 0),
    ...(options.events ?? []),
    ...spansOf(operations, endUs),
    ...counters.flat(),
    state('loadEnd', endUs),
    state('drained', endUs + 1000),
    state('end', endUs + 2000),
  ];
  events.sort((a, b) => a.tUs - b.tUs);
  const { killedAtUs } = options;
  if (killedAtUs !== undefined) {
    intervals = intervals.filter((interval) => interval.endUs <= killedAtUs);
    events = events.filter((event) => event.tUs <= killedAtUs);
  }
  return {
    dir: 'synthetic',
    run: syntheticRecord(plan, options),
    events,
    intervals: () => intervals,
    summary: null,
    truncated: killedAtUs !== undefined,
  };
}

/** The events of a killed master that is replaced and comes back: detection, promotion and return at the given times. */
export function failoverEvents(times: {
  injectedUs: number;
  detectedUs: number;
  promotedUs: number;
  healedUs: number;
  restoredUs: number;
  faultId?: number;
}): EventRecord[] {
  const { injectedUs, detectedUs, promotedUs, healedUs, restoredUs, faultId = 1 } = times;
  const fault = (state: EventOf<'fault'>['state'], tUs: number, plannedAtUs: number | null): EventRecord => ({
    type: 'fault',
    faultId,
    kind: 'kill',
    state,
    targets: [{ node: 'n1', shard: 0, role: 'master' }],
    plannedAtUs,
    tUs,
  });
  const process = { type: 'process', node: 'n1', pid: 100, exitCode: null, signal: 'SIGKILL', byFault: faultId } as const;
  return [
    { type: 'replicas', shard: 0, inSync: 1, known: 1, resolutionUs: 50_000, tUs: -1000 },
    fault('injecting', injectedUs - 800, injectedUs - 1000),
    { ...process, state: 'exited', tUs: injectedUs - 200 },
    fault('injected', injectedUs, injectedUs - 1000),
    { type: 'connection', worker: 0, node: 'n1', shard: 0, state: 'closed', reason: 'reset', tUs: injectedUs + 300 },
    { type: 'replicas', shard: 0, inSync: 0, known: 0, resolutionUs: 50_000, tUs: injectedUs + 50_000 },
    { type: 'log', node: 'n2', log: 'markingFailing', subject: 'n1', text: 'Marking node n1 as failing (quorum reached).', tUs: detectedUs },
    { type: 'log', node: 'n4', log: 'promoted', subject: null, text: "Failover election won: I'm the new master.", tUs: promotedUs },
    { type: 'role', node: 'n4', role: 'master', shard: 0, epoch: 7, resolutionUs: 50_000, tUs: promotedUs + 60_000 },
    fault('healing', healedUs - 100_000, null),
    { ...process, state: 'started', pid: 101, signal: null, byFault: null, tUs: healedUs - 50_000 },
    fault('healed', healedUs, null),
    { type: 'role', node: 'n1', role: 'replica', shard: 0, epoch: 7, resolutionUs: 50_000, tUs: healedUs + 100_000 },
    { type: 'replicas', shard: 0, inSync: 1, known: 1, resolutionUs: 50_000, tUs: restoredUs },
  ];
}

function operationsOf(phase: PhasePlan, options: SyntheticOptions): Operation[] {
  const { shards = 3, ratePerShard = 400, workers = 2, outages = [], slow = [] } = options;
  const count = phase.kind === 'open' ? phase.operationCount : Math.floor((shards * ratePerShard * phase.durationUs) / 1_000_000);
  return Array.from({ length: count }, (_, index): Operation => {
    const shard = index % shards;
    const round = Math.floor(index / shards);
    const isRead = round % 2 === 0;
    const intendedUs = phase.startUs + Math.floor((index * 1_000_000) / (shards * ratePerShard));
    const outage = outages.find((one) => one.shard === shard && intendedUs >= one.startUs && intendedUs < one.endUs);
    const extraUs = slow.find((one) => intendedUs >= one.startUs && intendedUs < one.endUs)?.addUs ?? 0;
    const refused = outage?.mode === 'refuse';
    const answeredFromUs = outage && !refused ? outage.endUs : intendedUs;
    return {
      index,
      shard,
      worker: Math.floor(round / 2) % workers,
      op: isRead ? 'get' : 'set',
      kind: isRead ? 'read' : 'write',
      phase: phase.index,
      intendedUs,
      doneUs: refused ? intendedUs + 300 : answeredFromUs + SERVICE_US + extraUs + ((index * 37) % 400),
      ok: !refused,
      reason: refused ? (outage.reason ?? 'refused') : null,
    };
  });
}

function intervalsOf(operations: readonly Operation[], endUs: number, workers: number): IntervalRecord[] {
  const lastUs = operations.reduce((max, operation) => Math.max(max, operation.doneUs), endUs - 1);
  const count = Math.floor(lastUs / INTERVAL_US) + 1;
  const done: Operation[][] = Array.from({ length: count }, () => []);
  const due: Operation[][] = Array.from({ length: count }, () => []);
  for (const operation of operations) {
    done[Math.floor(operation.doneUs / INTERVAL_US)]?.push(operation);
    due[Math.floor(operation.intendedUs / INTERVAL_US)]?.push(operation);
  }
  const slow = operations.filter((operation) => operation.doneUs - operation.intendedUs > OVERDUE_US);
  return done.map((completed, index): IntervalRecord => {
    const startUs = index * INTERVAL_US;
    const record: IntervalRecord = {
      index,
      startUs,
      endUs: startUs + INTERVAL_US,
      cells: cellsOf(completed, due[index] ?? []),
      shards: shardsOf(slow, completed, startUs + INTERVAL_US),
      inFlight: 0,
      queued: 0,
    };
    if (index % 10 === 9) {
      record.rest = restOf(done.slice(index - 9, index + 1).flat());
      record.generator = Array.from({ length: workers }, (_, worker) => ({
        worker,
        eventLoopUtilization: 0.3,
        eventLoopDelayP99Us: 2000,
        dispatchLagP99Us: 900,
        cpuUs: index * 10_000,
        rssBytes: 80_000_000,
      }));
    }
    return record;
  });
}

function cellsOf(completed: readonly Operation[], due: readonly Operation[]): CellRecord[] {
  const cells = new Map<string, { cell: CellRecord; values: Map<OperationName, number[]> }>();
  const cellOf = (operation: Operation) => {
    const slot = Math.floor(operation.intendedUs / INTERVAL_US);
    const key = `${operation.phase} ${slot}`;
    const fresh: CellRecord = { phase: operation.phase, slot, ops: {} };
    const entry = cells.get(key) ?? { cell: fresh, values: new Map<OperationName, number[]>() };
    cells.set(key, entry);
    entry.cell.ops[operation.op] ??= { planned: 0, ok: 0, fail: 0, info: 0, dropped: 0, response: [] };
    return { counts: entry.cell.ops[operation.op] as OperationCell, entry };
  };
  for (const operation of due) cellOf(operation).counts.planned++;
  for (const operation of completed) {
    const { counts, entry } = cellOf(operation);
    if (operation.ok) {
      counts.ok++;
      entry.values.set(operation.op, [...(entry.values.get(operation.op) ?? []), operation.doneUs - operation.intendedUs]);
    } else {
      counts.fail++;
      const reason = operation.reason ?? 'other';
      counts.reasons = { ...counts.reasons, [reason]: (counts.reasons?.[reason] ?? 0) + 1 };
    }
  }
  return [...cells.values()].map(({ cell, values }) => {
    for (const [op, list] of values) (cell.ops[op] as { response: SparseHistogram }).response = sparseFromValues(list);
    return cell;
  });
}

function shardsOf(slow: readonly Operation[], completed: readonly Operation[], endUs: number): IntervalRecord['shards'] {
  const waiting = slow.filter((operation) => operation.intendedUs + OVERDUE_US < endUs && operation.doneUs >= endUs);
  const records = new Map<string, IntervalRecord['shards'][number]>();
  const recordOf = ({ shard, kind }: Operation) => {
    const record = records.get(`${shard} ${kind}`) ?? { shard, kind, ok: 0, notOk: 0, firstNotOkUs: null, overdueSinceUs: null };
    records.set(`${shard} ${kind}`, record);
    return record;
  };
  for (const operation of completed) {
    const record = recordOf(operation);
    if (operation.ok) record.ok++;
    else {
      record.notOk++;
      record.firstNotOkUs ??= operation.doneUs;
    }
  }
  for (const operation of waiting) recordOf(operation).overdueSinceUs ??= operation.intendedUs + OVERDUE_US;
  return [...records.values()];
}

function restOf(completed: readonly Operation[]): NonNullable<IntervalRecord['rest']> {
  const groups = new Map<string, Operation[]>();
  for (const operation of completed.filter(({ ok }) => ok)) {
    const key = `${operation.phase} ${Math.floor(operation.intendedUs / 1_000_000)}`;
    groups.set(key, [...(groups.get(key) ?? []), operation]);
  }
  return [...groups].map(([key, operations]) => {
    const [phase = 0, second = 0] = key.split(' ').map(Number);
    const values = (op: OperationName, value: (operation: Operation) => number) =>
      sparseFromValues(operations.filter((operation) => operation.op === op).map(value));
    const service = (operation: Operation) => Math.min(operation.doneUs - operation.intendedUs, SERVICE_US);
    const queue = (operation: Operation) => operation.doneUs - operation.intendedUs - service(operation);
    return {
      phase,
      second,
      service: { get: values('get', service), set: values('set', service) },
      queue: { get: values('get', queue), set: values('set', queue) },
      dispatchLag: sparseFromValues(operations.map(({ index }) => index % 900)),
    };
  });
}

/** Of each worker, shard and kind: the times of 100 ms and more between successes. */
function spansOf(operations: readonly Operation[], endUs: number): EventOf<'span'>[] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const key = `${operation.worker} ${operation.shard} ${operation.kind}`;
    const group = groups.get(key);
    if (group) group.push(operation);
    else groups.set(key, [operation]);
  }
  return [...groups.values()].flatMap((group) => {
    const { worker, shard, kind } = group[0] as Operation;
    const successes = group.filter(({ ok }) => ok).map(({ doneUs }) => doneUs);
    const times = [...new Set([0, ...successes, Math.max(endUs, successes.at(-1) ?? 0)])].sort((a, b) => a - b);
    return times.slice(1).flatMap((spanEndUs, i): EventOf<'span'>[] => {
      const startUs = times[i] as number;
      if (spanEndUs - startUs < OVERDUE_US) return [];
      const asked = group.filter(({ intendedUs, doneUs }) => intendedUs < spanEndUs && doneUs > startUs);
      const notOk = asked.filter(({ ok }) => !ok).length;
      const overdue = asked.some(({ intendedUs, doneUs }) => doneUs - intendedUs >= OVERDUE_US);
      return [{ type: 'span', worker, shard, kind, startUs, endUs: spanEndUs, asked: asked.length, notOk, overdue, tUs: spanEndUs }];
    });
  });
}
