/** In sync means an acknowledged offset: neither a link that is up nor an early `online` will do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicationInfo } from './infoReply.js';
import { IN_SYNC_WINDOW_US, InSyncTracker } from './inSync.js';

const replica = '127.0.0.1:7001';

function master(masterReplOffset: number, acknowledged: number | null, { state = 'online', id = 'a' } = {}): ReplicationInfo {
  return {
    role: 'master',
    replicationId: id,
    masterReplOffset,
    replicas: acknowledged === null ? [] : [{ address: replica, state, offset: acknowledged, lagSec: 0 }],
    masterAddress: null,
    masterLinkUp: false,
    syncInProgress: false,
  };
}

/** Polls 50 ms apart; what is in sync after each. */
function verdicts(polls: (ReplicationInfo | null)[], everyUs = 50_000): boolean[] {
  const tracker = new InSyncTracker();
  return polls.map((info, i) => {
    tracker.observe('n1', info, i * everyUs);
    return tracker.replicasInSync('n1').has(replica);
  });
}

test('in sync once an offset of an earlier poll is acknowledged', () => {
  assert.deepEqual(verdicts([master(100, 40), master(150, 60), master(200, 100), master(250, 250)]), [false, false, true, true]);
});

test('online without an acknowledgement is not in sync, however long it lasts', () => {
  assert.deepEqual(verdicts([master(0, 0), master(0, 0), master(500, 0), master(500, 0)]), [false, false, false, false]);
});

test('a full copy under way is not in sync', () => {
  const copying = master(100, 200, { state: 'send_bulk' });
  assert.deepEqual(verdicts([copying, copying, copying]), [false, false, false]);
});

test('offsets the master had before this connection do not count', () => {
  const polls = [master(100, 100), master(100, 100), master(900, 0), master(1000, 500), master(1100, 900)];
  assert.deepEqual(verdicts(polls), [false, true, false, false, true]);
});

test('one acknowledgement a second keeps up under load; a replica that stays behind falls out', () => {
  const tracker = new InSyncTracker();
  const inSyncAt = (atUs: number, acknowledgedUs: number): boolean => {
    tracker.observe('n1', master(1000 + atUs, 1000 + acknowledgedUs), atUs);
    return tracker.replicasInSync('n1').has(replica);
  };
  for (let atUs = 50_000; atUs < 5_000_000; atUs += 50_000) {
    const caughtUp = inSyncAt(atUs, Math.floor(atUs / 1_000_000) * 1_000_000);
    assert.equal(caughtUp, atUs >= 1_000_000, `at ${atUs}`);
  }
  const stuckUs = 4_000_000;
  for (let atUs = 5_000_000; atUs < 9_000_000; atUs += 50_000) {
    assert.equal(inSyncAt(atUs, stuckUs), atUs - IN_SYNC_WINDOW_US <= stuckUs, `at ${atUs}`);
  }
});

test('polls far apart: the one before counts', () => {
  assert.deepEqual(verdicts([master(100, 90), master(200, 150), master(300, 180)], 60_000_000), [false, true, false]);
});

test('an unreachable node, another role or another history starts anew', () => {
  const asReplica: ReplicationInfo = { ...master(100, null), role: 'replica' };
  for (const between of [null, asReplica]) {
    assert.deepEqual(verdicts([master(100, 100), master(100, 100), between, master(100, 100), master(100, 100)]), [false, true, false, false, true]);
  }
  assert.deepEqual(verdicts([master(100, 100), master(100, 100), master(50, 60, { id: 'b' }), master(50, 60, { id: 'b' })]), [
    false,
    true,
    false,
    true,
  ]);
});

test('a replica that has gone is not in sync', () => {
  assert.deepEqual(verdicts([master(100, 100), master(100, 100), master(100, null)]), [false, true, false]);
});
