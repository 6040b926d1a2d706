/** INFO as redis 7.0.15 and newer servers answer it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInfo, parseReplicationInfo } from './infoReply.js';

const ofMaster = [
  '# Replication',
  'role:master',
  'connected_slaves:2',
  'slave0:ip=127.0.0.1,port=10774,state=online,offset=112,lag=0',
  'slave1:ip=::1,port=10775,state=wait_bgsave,offset=0,lag=0,type=replica,rdb_transfer=1',
  'master_failover_state:no-failover',
  'master_replid:2588c57b78bedc575aa004a19937658a58b1129e',
  'master_replid2:0000000000000000000000000000000000000000',
  'master_repl_offset:113',
  'second_repl_offset:-1',
  '',
].join('\r\n');

const ofReplica = [
  '# Replication',
  'role:slave',
  'master_host:127.0.0.1',
  'master_port:21651',
  'master_link_status:down',
  'master_last_io_seconds_ago:-1',
  'master_sync_in_progress:1',
  'slave_repl_offset:99',
  'connected_slaves:0',
  'master_replid:2588c57b78bedc575aa004a19937658a58b1129e',
  'master_repl_offset:99',
  '',
].join('\r\n');

test('a master tells its offset and what each replica has acknowledged', () => {
  assert.deepEqual(parseReplicationInfo(ofMaster), {
    role: 'master',
    replicationId: '2588c57b78bedc575aa004a19937658a58b1129e',
    masterReplOffset: 113,
    replicas: [
      { address: '127.0.0.1:10774', state: 'online', offset: 112, lagSec: 0 },
      { address: '::1:10775', state: 'wait_bgsave', offset: 0, lagSec: 0 },
    ],
    masterAddress: null,
    masterLinkUp: false,
    syncInProgress: false,
  });
});

test('a replica tells its master and the state of the link', () => {
  const info = parseReplicationInfo(ofReplica);
  assert.equal(info?.role, 'replica');
  assert.equal(info?.masterAddress, '127.0.0.1:21651');
  assert.equal(info?.masterLinkUp, false);
  assert.equal(info?.syncInProgress, true);
});

test('a text without a role is no answer, and values keep their colons', () => {
  assert.equal(parseReplicationInfo('# Replication\r\n'), null);
  assert.equal(parseInfo('# Server\r\nexecutable:/usr/bin/redis-server\r\nconfig_file:\r\nos:Linux: 6\r\n').get('os'), 'Linux: 6');
});
