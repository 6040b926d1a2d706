import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { faultStates } from '../plan/plan.js';
import type { EventOf, EventRecord, NodeRef } from '../result/records.js';
import { eventLine, stateLine } from './eventLine.js';
import { faultPlanModel, planModel } from './reportModel.test.support.js';

const n1: NodeRef = { node: 'n1', shard: 0, role: 'master' };
const fault = (tUs: number, state: EventOf<'fault'>['state'], more: Partial<EventOf<'fault'>> = {}): EventRecord => ({
  tUs,
  type: 'fault',
  faultId: 1,
  kind: 'kill',
  state,
  targets: [n1],
  plannedAtUs: 8_000_000,
  ...more,
});
const exit = (tUs: number, more: Partial<EventOf<'process'>>): EventRecord => ({
  tUs,
  type: 'process',
  node: 'n3',
  pid: 123,
  state: 'exited',
  exitCode: null,
  signal: null,
  byFault: null,
  ...more,
});
const many = Array.from({ length: 6 }, (_, i): NodeRef => ({ node: `n${i + 1}`, shard: i % 3, role: i < 3 ? 'master' : 'replica' }));
const longText =
  'the replica n4 is not in sync after the heal of fault 1, its link is up but its offset stands still; look at nodes/n4.log for the reason it gives';

const news: EventRecord[] = [
  { tUs: 0, type: 'phase', phase: 0, name: 'warm-up', state: 'start' },
  { tUs: 3_000_000, type: 'phase', phase: 1, name: 'steady', state: 'start' },
  fault(8_005_790, 'injected'),
  fault(18_022_266, 'healed', { plannedAtUs: 18_000_000 }),
  fault(20_000_100, 'injected', { faultId: 2, kind: 'pause', targets: [{ node: 'n9', shard: null, role: 'unknown' }], plannedAtUs: null }),
  fault(21_000_000, 'injected', { faultId: 3, kind: 'toxic', targets: many, plannedAtUs: 21_000_500 }),
  fault(22_000_000, 'injected', { faultId: 4, kind: 'from-a-later-version', targets: many.slice(0, 2), plannedAtUs: 22_000_000 }),
  fault(23_000_000, 'healed', { faultId: 3, kind: 'toxic', targets: many }),
  fault(24_000_000, 'failed', { faultId: 5, kind: 'restart', message: 'not healed: the server did not answer within 20 s' }),
  fault(25_000_000, 'skipped', { faultId: 6, targets: [], message: 'no node is "replica[7]" at this moment' }),
  exit(26_000_000, { signal: 'SIGTERM' }),
  exit(27_000_000, { exitCode: 1 }),
  { tUs: 28_000_000, type: 'message', level: 'info', text: 'a line of the log was too long' },
  { tUs: 29_000_000, type: 'message', level: 'warning', text: longText },
  { tUs: 30_000_000, type: 'message', level: 'error', text: 'not healed: fault 5 (restart of n1)' },
  { tUs: 31_000_000, type: 'run', state: 'interrupted', detail: 'SIGINT' },
  { tUs: 10_000_000_000, type: 'run', state: 'aborted', detail: 'errors rate<0.1' },
];

const noNews: EventRecord[] = [
  { tUs: 1, type: 'phase', phase: 0, name: 'warm-up', state: 'end' },
  { tUs: 1, type: 'run', state: 't0' },
  { tUs: 1, type: 'run', state: 'end' },
  fault(1, 'injecting'),
  fault(1, 'healing'),
  exit(1, { signal: 'SIGKILL', byFault: 1 }),
  exit(1, { state: 'started' }),
  { tUs: 1, type: 'connection', worker: 0, node: 'n1', shard: 0, state: 'closed', reason: 'reset' },
  { tUs: 1, type: 'role', node: 'n1', role: 'master', shard: 0, epoch: 1, resolutionUs: 100 },
  { tUs: 1, type: 'flag', node: 'n1', seenBy: 'n2', flag: 'pfail', resolutionUs: 100 },
  { tUs: 1, type: 'replicas', shard: 0, inSync: 0, known: 1, resolutionUs: 100 },
  { tUs: 1, type: 'client', worker: 0, attempts: 1, retries: 0, reconnects: 0, slotRefreshes: 0 },
  { tUs: 1, type: 'target', nodes: [], keysPerNode: {} },
];

test('events that are news make one aligned line each, and so do milestones', () => {
  const plan = planModel();
  const states = faultStates.map((state, i) => stateLine(plan, 1, state, 8_006_382 + i * 1_100_000, 8_005_790));
  const text = `${[...news.map((event) => eventLine(event) ?? assert.fail(event.type)), ...states.filter((line) => line !== null)].join('\n')}\n`;
  const golden = join(packageRoot, 'src/report/eventLine.golden.txt');
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
  for (const line of text.split('\n')) assert.ok([...line].length <= 100, line);
});

test('what is no news for a person makes no line', () => {
  for (const event of noNews) assert.equal(eventLine(event), null, JSON.stringify(event));
});

test('injected and healed are told by their events, not again as milestones', () => {
  for (const state of ['injected', 'healed'] as const) assert.equal(stateLine(planModel(), 1, state, 8_000_000), null);
});

test('a milestone says what the load can do again and how this target detects', () => {
  const plan = planModel();
  const { workload } = plan.load;
  const only = (operations: typeof workload.operations) => planModel({ load: { ...plan.load, workload: { ...workload, operations } } });
  const line = (of: typeof plan): string | null => stateLine(of, 1, 'clientRecovered', 12_000_000);
  assert.equal(line(plan), '   12.000s  ✓ kill 1: writes and reads again');
  assert.equal(line(only({ get: 1, set: 0, incr: 0, del: 0 })), '   12.000s  ✓ kill 1: reads again');
  assert.equal(line(only({ get: 0, set: 0, incr: 1, del: 0 })), '   12.000s  ✓ kill 1: writes again');
  const standalone = planModel({
    target: { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'redis-server', config: {} },
    chaos: [faultPlanModel(1, 'pause')],
  });
  assert.equal(stateLine(standalone, 1, 'detected', 9_000_000), '    9.000s  • pause 1: failure detected');
  assert.equal(stateLine(standalone, 7, 'promoted', 9_000_000), '    9.000s  • fault 7: replica promoted');
});
