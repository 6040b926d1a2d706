/** What a guest may do, by tables; the rules that need a server are in external.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultPlan, Plan, WorkloadPlan } from '../plan/plan.js';
import { checkFaults, checkMemory, escapeGlob, expectedDataBytes } from './guestRules.js';
import type { NodeView } from './target.js';

const workload: WorkloadPlan = {
  name: 'w',
  operations: { get: 1, set: 1, incr: 0, del: 0 },
  keys: { count: 1000, prefix: 'kvbench:', perTag: 0, distribution: { kind: 'uniform' } },
  values: { kind: 'fixed', bytes: 1000 },
  ttlMs: 0,
  preload: false,
  readModifyWrite: 0,
  checksum: false,
};

function fault(kind: string): FaultPlan {
  const shading = { color: '#f00', label: kind };
  return { id: 1, kind, trigger: { kind: 'at', atUs: 0 }, forUs: null, selector: null, params: {}, needsProxy: false, shading };
}

test('faults: process faults never, others only when allowed', () => {
  checkFaults([], []);
  checkFaults([fault('toxic')], ['toxic']);
  assert.throws(() => checkFaults([fault('toxic')], []), /fault 1 \(toxic\) is not allowed/);
  for (const kind of ['kill', 'pause', 'restart']) assert.throws(() => checkFaults([fault(kind)], [kind]), /acts on server processes/);
});

test("characters of a prefix that are special in SCAN's patterns are escaped", () => {
  assert.equal(escapeGlob('a*b?c[d]e\\f:'), 'a\\*b\\?c\\[d\\]e\\\\f:');
});

test('the expected size follows the workload', () => {
  const large = expectedDataBytes(workload);
  assert.ok(large > 1_000_000 && large < 1_300_000, String(large));
  assert.equal(expectedDataBytes({ ...workload, operations: { get: 1, set: 0, incr: 0, del: 0 } }), 0);
  assert.ok(expectedDataBytes({ ...workload, operations: { get: 1, set: 0, incr: 0, del: 0 }, preload: true }) > 1_000_000);
  const counters = expectedDataBytes({ ...workload, operations: { get: 0, set: 0, incr: 1, del: 0 } });
  assert.ok(counters > 0 && counters < 200_000);
  const logNormal = expectedDataBytes({ ...workload, values: { kind: 'lognormal', medianBytes: 1000, sigma: 1, maxBytes: 100_000 } });
  assert.ok(logNormal > large * 1.4 && logNormal < large * 1.7);
});

const node: NodeView = {
  id: 'n1',
  address: 'h:1',
  role: 'master',
  shard: 0,
  slots: [[0, 8191]],
  masterId: null,
  reachable: true,
  inSync: false,
};
const memory = (limit: number, policy: string): string => `used_memory:1000000\r\nmaxmemory:${limit}\r\nmaxmemory_policy:${policy}\r\n`;
const rooms = [
  { limit: 0, policy: 'noeviction', refused: null },
  { limit: 1_800_000, policy: 'noeviction', refused: null },
  { limit: 1_500_000, policy: 'noeviction', refused: /would run out of memory/ },
  { limit: 1_800_000, policy: 'allkeys-lru', refused: /could evict keys that are not this run's \(allkeys-lru\)/ },
  { limit: 3_000_000, policy: 'volatile-ttl', refused: null },
];
for (const { limit, policy, refused } of rooms) {
  test(`half of 1.1 MB on top of 1 MB, maxmemory ${limit}, ${policy}: ${refused ? 'refused' : 'fine'}`, () => {
    const plan = { load: { workload } } as Plan;
    const check = (): void => checkMemory(plan, node, memory(limit, policy));
    if (refused) assert.throws(check, refused);
    else check();
  });
}
