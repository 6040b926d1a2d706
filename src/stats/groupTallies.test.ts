/** What groups of clients got: the sums of their workers, and of a cut only what lies in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupRecords } from '../load/groupIntervals.js';
import type { WorkerInterval } from '../load/messages.js';
import type { Plan } from '../plan/plan.js';
import type { EventRecord, GroupRecord, IntervalRecord } from '../result/records.js';
import { reasons } from '../result/records.js';
import { GroupTallies } from './groupTallies.js';

const plan = {
  load: {
    threads: 2,
    clientGroups: [
      { name: 'near', threads: 1 },
      { name: 'far', threads: 1 },
    ],
  },
} as unknown as Plan;

function interval(index: number, groups: GroupRecord[]): IntervalRecord {
  return { index, startUs: index * 100_000, endUs: (index + 1) * 100_000, cells: [], shards: [], inFlight: 0, queued: 0, groups };
}

function near(ok: number, fail: number): GroupRecord {
  return { group: 'near', ok, fail, info: 0, dropped: 0, shards: [{ shard: 0, kind: 'write', ok, notOk: fail }] };
}

const sides = [
  { nodes: ['n1'], clients: ['near'] },
  { nodes: ['n2'], clients: ['far'] },
];
const fault = (state: 'injected' | 'healing', tUs: number): EventRecord => ({
  tUs,
  type: 'fault',
  faultId: 1,
  kind: 'partition',
  state,
  targets: [],
  sides,
  plannedAtUs: null,
});

test('a cut has what was completed in it, and when the first and last success were', () => {
  const tallies = new GroupTallies(plan, [fault('injected', 250_000), fault('healing', 750_000)], 100_000);
  for (const [index, [ok, fail]] of [
    [9, 0],
    [5, 0],
    [5, 0],
    [4, 1],
    [3, 0],
    [0, 6],
    [0, 7],
    [8, 0],
  ].entries()) {
    tallies.interval(interval(index, [near(ok as number, fail as number)]));
  }
  const [first, second] = tallies.summaries() ?? [];
  // The first interval is of the warm-up; those at 200 and 700 ms are cut through by the fault's ends.
  assert.deepEqual([first?.ok, first?.fail], [25, 14]);
  assert.deepEqual(first?.cuts, [
    {
      faultId: 1,
      side: 0,
      nodes: ['n1'],
      ok: 7,
      notOk: 14,
      shards: [{ shard: 0, kind: 'write', ok: 7, notOk: 14, firstOkMs: 300, lastOkMs: 500 }],
    },
  ]);
  assert.deepEqual(second?.cuts, [{ faultId: 1, side: 1, nodes: ['n2'], ok: 0, notOk: 0, shards: [] }]);
});

test('without groups there is nothing to tell', () => {
  assert.equal(new GroupTallies({ load: { threads: 2 } } as unknown as Plan, [], 0).summaries(), null);
});

test('a group’s record adds up its workers, reasons and shards', () => {
  const part = (worker: number, ok: number, fail: number): WorkerInterval => ({
    worker,
    index: 0,
    cells: [
      {
        phase: 0,
        slot: 0,
        op: 0,
        planned: ok + fail,
        byOutcome: [ok, fail, 0, 0],
        byReason: fail > 0 ? [[reasons.indexOf('CLUSTERDOWN'), fail]] : [],
        response: { indices: new Uint32Array(), counts: new Uint32Array() },
      },
    ],
    shards: [{ shard: 1, kind: 'read', ok, notOk: fail, firstNotOkUs: null, overdueSinceUs: null }],
    inFlight: 0,
    queued: 0,
    rest: [],
    generator: null,
  });
  const records = groupRecords([part(0, 5, 0), part(1, 3, 2), part(2, 1, 1)], (worker) => (worker === 0 ? 'near' : 'far'));
  assert.deepEqual(records, [
    { group: 'near', ok: 5, fail: 0, info: 0, dropped: 0, shards: [{ shard: 1, kind: 'read', ok: 5, notOk: 0 }] },
    {
      group: 'far',
      ok: 4,
      fail: 3,
      info: 0,
      dropped: 0,
      reasons: { CLUSTERDOWN: 3 },
      shards: [{ shard: 1, kind: 'read', ok: 4, notOk: 3 }],
    },
  ]);
});
