/** One view out of what several nodes say, when some don't answer and others have old news. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClusterNodes } from './clusterNodesReply.js';
import { composeView, type Member, type NodePoll } from './clusterView.js';
import type { ReplicationInfo } from './infoReply.js';

const members: Member[] = ['a', 'b', 'c'].map((name, i) => ({ id: `n${i + 1}`, address: `127.0.0.1:${7001 + i}`, clusterId: name.repeat(40) }));

/** What node `id` says: its role by INFO, and its table, where `who` stands for 40 of that letter. */
function says(id: string, role: 'master' | 'replica', ...table: string[]): NodePoll {
  const replication: ReplicationInfo = {
    role,
    replicationId: '',
    masterReplOffset: 0,
    replicas: [],
    masterAddress: null,
    masterLinkUp: false,
    syncInProgress: false,
  };
  const text = table.map((line) => line.replace(/\b[abc]\b/g, (letter) => letter.repeat(40))).join('\n');
  return { id, atUs: 0, replication, cluster: parseClusterNodes(text) };
}

const silent = (id: string): NodePoll => ({ id, atUs: 0, replication: null, cluster: null });

test('a healthy cluster: each node about itself', () => {
  const view = composeView(members, [
    says('n1', 'master', 'a h:7001@1 myself,master - 0 0 1 connected 0-8000'),
    says('n2', 'master', 'b h:7002@1 myself,master - 0 0 2 connected 8001-16383'),
    says('n3', 'replica', 'c h:7003@1 myself,slave a 0 0 1 connected'),
  ]);
  assert.deepEqual(
    view.map(({ id, role, slots, masterId, reachable }) => ({ id, role, slots, masterId, reachable })),
    [
      { id: 'n1', role: 'master', slots: [[0, 8000]], masterId: null, reachable: true },
      { id: 'n2', role: 'master', slots: [[8001, 16383]], masterId: null, reachable: true },
      { id: 'n3', role: 'replica', slots: [], masterId: 'n1', reachable: true },
    ],
  );
});

test('a dead master is described by the others', () => {
  const view = composeView(members, [
    silent('n1'),
    says('n2', 'master', 'b h:7002@1 myself,master - 0 0 2 connected 8001-16383', 'a h:7001@1 master,fail - 0 0 1 disconnected 0-8000'),
    says('n3', 'replica', 'c h:7003@1 myself,slave a 0 0 1 connected', 'a h:7001@1 master,fail - 0 0 1 disconnected 0-8000'),
  ]);
  assert.deepEqual([view[0]?.reachable, view[0]?.role, view[0]?.slots], [false, 'master', [[0, 8000]]]);
});

test('an old master that has not heard of its successor holds no slots any more', () => {
  const view = composeView(members, [
    says('n1', 'master', 'a h:7001@1 myself,master - 0 0 1 connected 0-8000'),
    says('n2', 'master', 'b h:7002@1 myself,master - 0 0 2 connected 8001-16383'),
    says('n3', 'master', 'c h:7003@1 myself,master - 0 0 4 connected 0-8000'),
  ]);
  assert.deepEqual(view[0]?.slots, []);
  assert.deepEqual(view[2]?.slots, [[0, 8000]]);
});

test('a node that still loads its data is reachable, and described by the others', () => {
  const loading = { ...says('n1', 'master'), cluster: null };
  const view = composeView(members, [
    loading,
    says('n2', 'master', 'a h:7001@1 master - 0 0 1 connected 0-8000', 'b h:7002@1 myself,master - 0 0 2 connected'),
  ]);
  assert.deepEqual([view[0]?.reachable, view[0]?.role, view[0]?.slots], [true, 'master', [[0, 8000]]]);
  assert.deepEqual([view[2]?.reachable, view[2]?.role], [false, 'unknown']);
});

test('a standalone server is the master of all slots', () => {
  const poll: NodePoll = { ...says('n1', 'master'), cluster: null };
  const [view] = composeView([{ id: 'n1', address: '127.0.0.1:7001', clusterId: null }], [poll]);
  assert.deepEqual([view?.role, view?.slots, view?.masterId], ['master', [[0, 16383]], null]);
});

test('outside a cluster: of several masters the sentinels’ one has the keys, a silent master is its replicas’, without sentinels the most followed', () => {
  const members = ['n1', 'n2', 'n3', 's1', 's2', 's3'].map((id) => ({
    id,
    address: `h:${id}`,
    clusterId: null,
    ...(id.startsWith('s') ? { isSentinel: true } : {}),
  }));
  const says = (id: string, role: 'master' | 'replica', of: string | null = null): NodePoll => ({
    id,
    atUs: 0,
    replication: {
      role,
      replicationId: '',
      masterReplOffset: 0,
      replicas: [],
      masterAddress: of && `h:${of}`,
      masterLinkUp: true,
      syncInProgress: false,
    },
    cluster: null,
  });
  const names = (id: string, master: string): NodePoll => ({ id, atUs: 0, replication: null, cluster: null, sentinelMaster: `h:${master}` });
  const show = (polls: NodePoll[]): string[] =>
    composeView(members, polls).map(({ id, role, slots, masterId, reachable }) =>
      [id, role, slots.length > 0 ? 'keys' : '', masterId === null ? '' : `of ${masterId}`, reachable ? '' : 'silent'].filter(Boolean).join(' '),
    );
  const sentinels = ['s1 sentinel', 's2 sentinel', 's3 sentinel silent'];
  const back = [says('n1', 'master'), says('n2', 'master'), says('n3', 'replica', 'n2'), names('s1', 'n2'), names('s2', 'n2')];
  assert.deepEqual(show(back), ['n1 master', 'n2 master keys', 'n3 replica of n2', ...sentinels], 'an old master that is back');
  const dead = [says('n2', 'replica', 'n1'), says('n3', 'replica', 'n1'), names('s1', 'n1'), names('s2', 'n1')];
  assert.deepEqual(show(dead), ['n1 master keys silent', 'n2 replica of n1', 'n3 replica of n1', ...sentinels]);
  const replaced = [says('n2', 'master'), says('n3', 'replica', 'n2'), names('s1', 'n2'), names('s2', 'n2')];
  assert.deepEqual(show(replaced), ['n1 unknown silent', 'n2 master keys', 'n3 replica of n2', ...sentinels]);
  assert.deepEqual(show([says('n1', 'master'), says('n2', 'master'), says('n3', 'replica', 'n2')]).slice(0, 3), [
    'n1 master',
    'n2 master keys',
    'n3 replica of n2',
  ]);
});
