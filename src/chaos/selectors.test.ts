import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSelector } from '../plan/plan.js';
import type { NodeView } from '../topology/target.js';
import { resolveSelector } from './selectors.js';
import { nodeView, viewOf } from './testDoubles.test.support.js';

/** 3 + 3, as formed: n1–n3 are masters, n4–n6 their replicas. */
const whole: NodeView[] = [
  nodeView('n1', { shard: 0, slots: [[0, 5460]] }),
  nodeView('n2', { shard: 1, slots: [[5461, 10922]] }),
  nodeView('n3', { shard: 2, slots: [[10923, 16383]] }),
  nodeView('n4', { role: 'replica', shard: 0, masterId: 'n1' }),
  nodeView('n5', { role: 'replica', shard: 1, masterId: 'n2' }),
  nodeView('n6', { role: 'replica', shard: 2, masterId: 'n3' }),
];
/** n1 is dead, n4 took over and n1 is still remembered as a master by nobody but itself. */
const failedOver = changed(whole, {
  n1: { reachable: false },
  n4: { role: 'master', masterId: null, slots: [[0, 5460]] },
});
/** n1 is dead and nobody has taken over. */
const headless = changed(whole, { n1: { reachable: false }, n4: { role: 'replica', reachable: false } });
const roleless = changed(whole, { n1: { reachable: false, role: 'unknown', slots: [] } });
/** n4 took over, and the slots of the shards are no longer in the order of their numbers. */
const resharded = changed(whole, { n1: { slots: [[16000, 16383]] }, n3: { slots: [[0, 5460]] } });
const standalone = [nodeView('n1', { shard: 0 })];
const unordered = [nodeView('n10'), nodeView('n2'), nodeView('n1')];
const joined = [...whole, nodeView('n7', { shard: null, slots: [] })];

function changed(nodes: NodeView[], changes: Record<string, Partial<NodeView>>): NodeView[] {
  return nodes.map((node) => ({ ...node, ...changes[node.id] }));
}

type Selector = NodeSelector extends infer S ? (S extends NodeSelector ? Omit<S, 'text'> : never) : never;

const cases: [string, Selector, NodeView[], string[]][] = [
  ['master[0] of a whole cluster', { by: 'master', index: 0 }, whole, ['n1']],
  ['master[2]', { by: 'master', index: 2 }, whole, ['n3']],
  ['master[3] of three', { by: 'master', index: 3 }, whole, []],
  ['master[0] after a failover', { by: 'master', index: 0 }, failedOver, ['n4']],
  ['master[0] while nobody has taken over is the dead one', { by: 'master', index: 0 }, headless, ['n1']],
  ['master[1] does not become another shard meanwhile', { by: 'master', index: 1 }, headless, ['n2']],
  ['master[0] of a shard without a master', { by: 'master', index: 0 }, roleless, []],
  ['master[1] beside a shard without a master', { by: 'master', index: 1 }, roleless, ['n2']],
  ['master[0] goes by the lowest slot', { by: 'master', index: 0 }, resharded, ['n3']],
  ['a master without slots is no shard', { by: 'master', index: 3 }, joined, []],
  ['master[0] of a standalone server', { by: 'master', index: 0 }, standalone, ['n1']],
  ['node[1] goes by start order, not by text', { by: 'node', index: 1 }, unordered, ['n2']],
  ['node[2]', { by: 'node', index: 2 }, unordered, ['n10']],
  ['node[0] may be dead', { by: 'node', index: 0 }, failedOver, ['n1']],
  ['node[9]', { by: 'node', index: 9 }, whole, []],
  ['master of slot 0', { by: 'masterOfSlot', slot: 0 }, whole, ['n1']],
  ['master of slot 10922, an end of a range', { by: 'masterOfSlot', slot: 10922 }, whole, ['n2']],
  ['master of slot 0 after a failover', { by: 'masterOfSlot', slot: 0 }, failedOver, ['n4']],
  ['master of a slot that nobody has', { by: 'masterOfSlot', slot: 0 }, roleless, []],
  ['master of slot 7 of a standalone server', { by: 'masterOfSlot', slot: 7 }, standalone, ['n1']],
  ['replica[0]', { by: 'replica', index: 0 }, whole, ['n4']],
  ['replica[0] passes over an unreachable one', { by: 'replica', index: 0 }, headless, ['n5']],
  ['replica[2] then is the unreachable one', { by: 'replica', index: 2 }, headless, ['n4']],
  ['replica of master[1]', { by: 'replicaOfMaster', index: 1 }, whole, ['n5']],
  ['replica of a master that has none', { by: 'replicaOfMaster', index: 0 }, failedOver, []],
  ['replica of a standalone server', { by: 'replicaOfMaster', index: 0 }, standalone, []],
  ['random master, lowest draw', { by: 'randomMaster', draw: 0 }, whole, ['n1']],
  ['random master, highest draw', { by: 'randomMaster', draw: 0.999 }, whole, ['n3']],
  ['random master is drawn among the reachable', { by: 'randomMaster', draw: 0 }, headless, ['n2']],
  ['random replica', { by: 'randomReplica', draw: 0.5 }, whole, ['n5']],
  ['random replica where there is none', { by: 'randomReplica', draw: 0.5 }, standalone, []],
  ['all replicas', { by: 'allReplicas' }, whole, ['n4', 'n5', 'n6']],
  ['all replicas that can be reached', { by: 'allReplicas' }, headless, ['n5', 'n6']],
  ['all masters', { by: 'allMasters' }, failedOver, ['n2', 'n3', 'n4']],
];

for (const [name, selector, nodes, expected] of cases) {
  test(`selector: ${name} → ${expected.join(', ') || 'nothing'}`, () => {
    const found = resolveSelector({ text: name, ...selector } as NodeSelector, viewOf(nodes));
    assert.deepEqual(
      found.map((node) => node.id),
      expected,
    );
  });
}
