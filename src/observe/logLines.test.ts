import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { meaningOf, parseLogLine } from './logLines.js';

const about = '652f740811ae477070515461224a8c3f11563db2';
const from = '88a1cc574d336c20ac1e013acd3edcaf2a2ee32e';

/** Real lines; those without a version are of redis 7.0.15. */
const table: [text: string, log: string | null, subject: string | null][] = [
  [`Marking node ${about} as failing (quorum reached).`, 'markingFailing', about],
  [`Marking node ${about} () as failing (quorum reached).`, 'markingFailing', about], // redis 7.2, valkey
  [`Marking node ${about} (cache-a) as failing (quorum reached).`, 'markingFailing', about],
  [`FAIL message received from ${from} about ${about}`, 'failReceived', about],
  [`FAIL message received from ${from} () about ${about} ()`, 'failReceived', about], // redis 7.2, valkey
  [`FAIL message received from ${from} (a) about ${about} (b)`, 'failReceived', about],
  [`Clear FAIL state for node ${about}: master without slots is reachable again.`, 'failCleared', about],
  [`Clear FAIL state for node ${about}: is reachable again and nobody is serving its slots after some time.`, 'failCleared', about],
  [`Clear FAIL state for node ${about} (): replica is reachable again.`, 'failCleared', about], // valkey
  [`Clear FAIL state for node ${about} ():replica is reachable again.`, 'failCleared', about], // redis 7.2
  ['Start of election delayed for 895 milliseconds (rank #0, offset 14).', 'electionDelayed', null],
  ['Start of election delayed for 0 milliseconds (rank #0, primary rank #0, offset 14).', 'electionDelayed', null], // valkey
  ['Starting a failover election for epoch 8.', 'electionStarted', null],
  ['Starting a failover election for epoch 8, node config epoch is 2', 'electionStarted', null], // valkey
  ["Failover election won: I'm the new master.", 'promoted', null],
  ["Failover election won: I'm the new primary.", 'promoted', null], // valkey
  ['Taking over the master (user request).', 'promoted', null],
  ["Taking over the primary (user request from 'id=8 addr=127.0.0.1:62191').", 'promoted', null],
  ["MASTER MODE enabled (user request from 'id=8 addr=127.0.0.1:62191 laddr=127.0.0.1:6380 fd=12')", 'promoted', null],
  ["PRIMARY MODE enabled (user request from 'id=8 addr=127.0.0.1:62191')", 'promoted', null],
  ['Cluster state changed: ok', 'clusterStateOk', null],
  ['Cluster state changed: fail', 'clusterStateFail', null],
  ['MASTER <-> REPLICA sync started', null, null],
  ['Master replied to PING, replication can continue...', 'replicaSyncStart', null],
  ['Primary replied to PING, replication can continue...', 'replicaSyncStart', null],
  ['MASTER <-> REPLICA sync: Finished with success', 'replicaSyncDone', null],
  ['PRIMARY <-> REPLICA sync: Finished with success', 'replicaSyncDone', null],
  ['MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.', 'replicaSyncDone', null],
  ['MASTER <-> REPLICA sync: Flushing old data', null, null],
  ['Ready to accept connections', 'ready', null],
  ['Ready to accept connections tcp', 'ready', null], // redis 7.2, valkey
  ['User requested shutdown...', 'shutdown', null],
  [`Configuration change detected. Reconfiguring myself as a replica of ${from}`, 'warning', from],
  [`Configuration change detected. Reconfiguring myself as a replica of node ${from} () in shard 1c1d`, 'warning', from], // valkey
  ['Connection with replica 127.0.0.1:21004 lost.', 'warning', '127.0.0.1:21004'],
  ['Connection with master lost.', 'warning', null],
  [`Failover auth denied to ${from}: its master is up`, 'warning', from],
  ['Currently unable to failover: Waiting the delay before I can start a new failover.', 'warning', null],
  ['Error condition on socket for SYNC: Connection refused', null, null],
  ['configEpoch set to 8 after successful failover', null, null],
  [`Failover auth granted to ${from} for epoch 8`, null, null],
  // Sentinel
  ['+sdown master kvbench 127.0.0.1 29181', 'sdown', '127.0.0.1:29181'],
  ['+sdown slave 127.0.0.1:29181 127.0.0.1 29181 @ kvbench 127.0.0.1 17234', 'sdown', '127.0.0.1:29181'],
  ['+sdown sentinel 4ffdf59ad2b2ab832a93beb52925b52c42c8c258 127.0.0.1 28678 @ kvbench 127.0.0.1 29181', 'sdown', '127.0.0.1:28678'],
  ['+sdown primary kvbench 127.0.0.1 29181', 'sdown', '127.0.0.1:29181'],
  ['+odown master kvbench 127.0.0.1 29181 #quorum 3/2', 'odown', '127.0.0.1:29181'],
  ['-odown master kvbench 127.0.0.1 29181', 'downCleared', '127.0.0.1:29181'],
  ['+try-failover master kvbench 127.0.0.1 29181', 'tryFailover', '127.0.0.1:29181'],
  ['+vote-for-leader 037b31f5ba12c59030c8bc60ca8de1718159276c 1', null, null],
  ['+elected-leader master kvbench 127.0.0.1 29181', 'electedLeader', '127.0.0.1:29181'],
  ['+selected-slave slave 127.0.0.1:17234 127.0.0.1 17234 @ kvbench 127.0.0.1 29181', 'selectedReplica', '127.0.0.1:17234'],
  ['+promoted-slave slave 127.0.0.1:17234 127.0.0.1 17234 @ kvbench 127.0.0.1 29181', 'promotedReplica', '127.0.0.1:17234'],
  ['+promoted-replica replica 127.0.0.1:17234 127.0.0.1 17234 @ kvbench 127.0.0.1 29181', 'promotedReplica', '127.0.0.1:17234'],
  ['+switch-master kvbench 127.0.0.1 29181 127.0.0.1 17234', 'switchMaster', '127.0.0.1:29181'],
  ['+switch-primary kvbench 127.0.0.1 29181 127.0.0.1 17234', 'switchMaster', '127.0.0.1:29181'],
  ['+failover-end master kvbench 127.0.0.1 29181', 'failoverEnd', '127.0.0.1:29181'],
  ['-failover-abort-no-good-slave master kvbench 127.0.0.1 29181', 'failoverAborted', '127.0.0.1:29181'],
  ['-failover-abort-not-elected master kvbench 127.0.0.1 29181', 'failoverAborted', '127.0.0.1:29181'],
  ['+convert-to-slave slave 127.0.0.1:29181 127.0.0.1 29181 @ kvbench 127.0.0.1 17234', 'convertedToReplica', '127.0.0.1:29181'],
  ['+tilt #tilt mode entered', 'tilt', null],
  ['+slave slave 127.0.0.1:17234 127.0.0.1 17234 @ kvbench 127.0.0.1 29181', null, null],
  ['', null, null],
];

test('each line that matters has its meaning and names the node it is about, in every wording', () => {
  for (const [text, log, subject] of table) {
    assert.deepEqual(meaningOf(text), log === null ? null : { log, subject }, text);
  }
});

test('a stamp without a zone becomes the moment nearest to the reading, whatever zone the server lives in', () => {
  const writtenMs = Date.UTC(2026, 10, 21, 14, 19, 4, 319);
  for (const zoneMinutes of [0, 60, -300, 330, 345, 840, -720]) {
    const local = new Date(writtenMs + zoneMinutes * 60_000).toISOString();
    const month = new Date(local).toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' });
    const stamp = `${local.slice(8, 10)} ${month} ${local.slice(0, 4)} ${local.slice(11, 23)}`;
    const line = parseLogLine(`7115:S ${stamp} # Failover election won: I'm the new master.`, writtenMs + 12);
    assert.deepEqual(line, { wallMs: writtenMs, role: 'S', level: '#', text: "Failover election won: I'm the new master." }, stamp);
  }
});

test('the stamps that valkey can be set to are read as well', () => {
  const wallMs = Date.UTC(2026, 10, 21, 14, 19, 4, 319);
  assert.equal(parseLogLine('12:M 2026-11-21T16:19:04.319+02:00 * Cluster state changed: ok', wallMs + 5)?.wallMs, wallMs);
  assert.equal(parseLogLine(`12:M ${wallMs} * Cluster state changed: ok`, wallMs + 5)?.wallMs, wallMs);
});

test('what is no log line is nothing', () => {
  const lines = ['', '7107:signal-handler (1795270748) Received SIGTERM scheduling shutdown...', '     _._    ', '7:M 21 Abc 2026 14:19:04.319 # x'];
  for (const line of lines) assert.equal(parseLogLine(line, 0), null, line);
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 0 }), (text, nearMs) => {
      parseLogLine(text, nearMs);
      parseLogLine(`1:M 21 Nov 2026 14:19:04.319 ${text}`, nearMs);
      meaningOf(text);
    }),
  );
});
