/**
 * Did it lose data, end to end: a split brain that must, a planned failover that must not, a server without persistence that loses all; and
 * each time the independent recount agrees. The three play at the same time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Results, readResults, runKvbench, temporaryFolder, writeProfile } from './harness.js';

const folder = temporaryFolder();

interface Play extends Results {
  dir: string;
  sentence: string;
  recount: { code: number | null; text: string };
}

async function play(name: string, yaml: string): Promise<Play> {
  const dir = join(folder, name);
  const profile = writeProfile(folder, `${name}.yaml`, yaml);
  const { code, stderr } = await runKvbench(['run', profile, '--out', dir], { cwd: folder });
  assert.equal(code, 0, stderr);
  const { code: recountCode, stdout } = await runKvbench(['verify', dir], { cwd: folder });
  const results = readResults(dir);
  return { ...results, dir, sentence: results.summary.sentence, recount: { code: recountCode, text: stdout } };
}

const workload = '{ operations: { get: 40, set: 40, incr: 15, del: 5 }, keys: { count: 500 }, preload: true }';
const load = (more: string): string => `load: { client: wire, opsLog: true, timeout: 500ms, workload: ${workload}, ${more} }`;

const splitBrain = `
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1000, repl-diskless-sync-delay: 0 } }
${load('clientGroups: { minority: 1, majority: 1 }, connections: 2, phases: [{ duration: 7s, rate: 600/s }]')}
chaos: [{ at: 1s, for: 4s, fault: partition, groups: [["master[0]", "clients of minority"], ["rest", "clients of majority"]] }]
thresholds: { lost_writes: ["count>0"], "lost_writes{fault:1}": ["count>0"] }
`;
const failover = `
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1000, repl-diskless-sync-delay: 0 } }
${load('threads: 2, phases: [{ duration: 5s, rate: 600/s }]')}
chaos: [{ at: 1s, fault: failover, node: "replica of master[0]" }]
thresholds: { lost_writes: ["count==0"] }
`;
const forgetful = `
target: { topology: standalone, config: { save: "", appendonly: "no" } }
${load('threads: 2, phases: [{ duration: 3s, rate: 600/s }]')}
chaos: [{ at: 2500ms, for: 100ms, fault: kill, node: "node[0]" }]
thresholds: { lost_writes: ["count>0"] }
`;

describe('what was lost, and that two counts agree', () => {
  const plays = Promise.all([play('split', splitBrain), play('planned', failover), play('forgetful', forgetful)]);
  plays.catch(() => {});

  test('a split brain loses acknowledged writes of the shard that was cut off, and says which', async () => {
    const [{ summary, dir, recount, sentence }] = await plays;
    const { consistency } = summary;
    assert.ok(consistency);
    const lost = consistency.lostWrites + consistency.counters.lost;
    assert.ok(lost > 0);
    assert.equal(recount.code, 99);
    assert.match(recount.text, /The summary agrees in all \d+ counts/);
    assert.match(sentence, /acknowledged (writes|increments) are lost/);
    const [, ...lines] = readFileSync(join(dir, 'lost-writes.ndjson'), 'utf8').trimEnd().split('\n');
    const writes = lines.map((line) => JSON.parse(line) as { shard: number; count: number; ackedUs: number; faultId: number | null });
    assert.equal(
      writes.reduce((sum, { count }) => sum + count, 0),
      lost,
    );
    // The cut-off master is that of shard 0; nothing that was acknowledged before the cut is gone.
    assert.deepEqual([...new Set(writes.map(({ shard }) => shard))], [0]);
    assert.ok(writes.every(({ ackedUs, faultId }) => ackedUs > 900_000 && faultId === 1));
    assert.deepEqual(
      [consistency.corruptValues, consistency.foreignValues, consistency.neverWrittenValues, consistency.unverifiedKeys],
      [0, 0, 0, 0],
    );
    const page = readFileSync(join(dir, 'report.html'), 'utf8');
    assert.match(page, /Lost writes by shard and fault/);
    assert.match(page, /"lost":\[\{"shard":0/);
  });

  test('a planned failover loses nothing', async () => {
    const [, { summary, recount }] = await plays;
    const { consistency } = summary;
    assert.ok(consistency);
    assert.equal(summary.faults[0]?.status, 'healed');
    assert.deepEqual(
      [consistency.lostWrites, consistency.resurrectedKeys, consistency.counters.lost, consistency.counters.doubleApplied],
      [0, 0, 0, 0],
    );
    assert.ok(consistency.ackedWrites > 1000);
    assert.equal(recount.code, 0, recount.text);
  });

  test('a kill without persistence or replica loses everything there was, and says so', async () => {
    const [, , { summary, recount, sentence }] = await plays;
    const { consistency } = summary;
    assert.ok(consistency);
    // What was written after the restart is there; of what came before nothing is, but where a newer write has taken its place.
    const keysLost = consistency.lostKeys;
    assert.ok(keysLost > 250, `${keysLost} of 500 keys`);
    assert.ok(consistency.counters.lost > 0);
    assert.match(sentence, /acknowledged writes are lost/);
    assert.equal(recount.code, 99);
    assert.match(recount.text, /The summary agrees in all \d+ counts/);
  });
});
