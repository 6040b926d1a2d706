/** Sentinels: the shipped profile, shortened, with a killed master (ioredis) and a frozen one (wire), and a failover on command. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import type { RunRecord } from '../result/records.js';
import { assertNothingLeft, assertNothingUnaccounted, readResults, runKvbench, temporaryFolder, writeProfile } from './harness.js';

const shorter = [
  'target.downAfter=700ms',
  'load.phases.0.duration=500ms',
  'load.phases.1={ name: steady, duration: 7s, rate: 500/s }',
  'load.workload.keys.count=2000',
  'chaos.0.at=1500ms',
  'chaos.0.for=4s',
  // What a short run on a busy machine can keep.
  'thresholds={ availability: ["rate>0.1"], rto: ["max<30s"] }',
].flatMap((assignment) => ['--set', assignment]);

const cases = [
  { client: 'ioredis', fault: 'kill' },
  { client: 'wire', fault: 'pause' },
] as const;

async function failOver({ client, fault: kind }: (typeof cases)[number]): Promise<void> {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const dir = join(cwd, 'out');
  const profile = join(packageRoot, 'profiles/sentinel-failover.yaml');
  const settings = [...shorter, '--set', `load.client=${client}`, '--set', `chaos.0.fault=${kind}`];
  const finished = await runKvbench(['run', profile, ...settings, '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary, events } = readResults(dir);
  const run = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as RunRecord;
  assertNothingUnaccounted(summary);
  const [fault] = summary.faults;
  assert.ok(fault?.sentinel, 'the sentinels did something');
  assert.deepEqual([fault.kind, fault.status, fault.targets[0]?.node], [kind, 'healed', 'n1']);

  const order: [name: string, atMs: number | null][] = [
    ['injected', fault.injectedAtMs],
    ['sdown', fault.sentinel.sdownMs],
    ['odown', fault.detectedMs],
    ['elected', fault.sentinel.electedMs],
    ['promoted', fault.promotedMs],
    ['clients recovered', fault.clientRecoveredMs],
    ['healed', fault.healedAtMs],
    ['redundancy restored', fault.redundancyRestoredMs],
  ];
  order.reduce((before, [name, atMs]) => {
    assert.ok(atMs !== null && atMs >= before, `${client}, ${kind}: ${JSON.stringify(order)}, at ${name}`);
    return atMs;
  }, 0);
  assert.ok(fault.sentinel.switchedMs !== null && fault.promotedMs !== null && fault.sentinel.switchedMs >= fault.promotedMs);
  assert.ok((fault.sentinel.sdownMs ?? 0) - (fault.injectedAtMs ?? 0) >= 400, 'not before down-after, counted from the last answer');

  const after = summary.target?.nodesAfter ?? [];
  const byId = (id: string): string | undefined => after.find((node) => node.id === id)?.role;
  const heir = after.find((node) => node.role === 'master' && node.slots.length > 0)?.id ?? '';
  assert.ok(heir === 'n2' || heir === 'n3', `master afterwards: ${heir}`);
  assert.equal(byId('n1'), 'replica');
  assert.deepEqual(['s1', 's2', 's3'].map(byId), ['sentinel', 'sentinel', 'sentinel']);
  const restored = events.findLast((event) => event.type === 'replicas');
  assert.deepEqual(restored?.type === 'replicas' ? [restored.inSync, restored.known] : null, [2, 2], 'the old master is a replica in sync');
  assert.ok(
    events.some((event) => event.type === 'connection' && event.state === 'ready' && event.node === heir),
    'clients went to the new master',
  );
  assert.match(summary.sentence, /^The master (refused|answered no) (writes|reads) for .* detection \+ .* election/);
  assert.match(summary.advice ?? '', /down-after 700 ms|^$/);
  assert.deepEqual(run.target?.sentinel, { masterName: 'kvbench', count: 3, quorum: 2, downAfterMs: 700, failoverTimeoutMs: 10_000 });
  await assertNothingLeft(temp);
}

const onCommand = `
name: on-command
target: { topology: sentinel, replicas: 1, sentinels: 1, quorum: 1, downAfter: 2s }
load:
  threads: 1
  workload: { operations: { get: 50, set: 50 }, keys: { count: 500 }, preload: true }
  phases: [ { name: steady, duration: 4s, rate: 200/s } ]
chaos:
  - { at: 500ms, fault: failover, node: "master[0]" }
`;

async function failOverOnCommand(): Promise<void> {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', writeProfile(cwd, 'on-command.yaml', onCommand), '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary, events } = readResults(dir);
  assertNothingUnaccounted(summary);
  const [fault] = summary.faults;
  assert.deepEqual([fault?.kind, fault?.status, fault?.targets[0]?.node], ['failover', 'healed', 'n1']);
  assert.ok(fault?.sentinel?.electedMs && fault.promotedMs, JSON.stringify(fault));
  assert.ok(
    events.some((event) => event.type === 'connection' && event.state === 'ready' && event.node === 'n2'),
    'clients went to the new master',
  );
  assert.equal(fault.sentinel.sdownMs, null, 'nobody was down');
  assert.deepEqual(
    (summary.target?.nodesAfter ?? []).filter(({ role }) => role !== 'sentinel').map(({ id, role }) => [id, role]),
    [
      ['n1', 'replica'],
      ['n2', 'master'],
    ],
  );
  assert.deepEqual(summary.healing?.missing, []);
  await assertNothingLeft(temp);
}

test('sentinels replace a killed and a frozen master, and a sound one on command, and clients follow them', { timeout: 150_000 }, async () => {
  // Three labs at once are more than two cores bear: sentinels that starve find the new master down, too, and replace it again.
  const [killed, frozen] = cases;
  await Promise.all([failOver(killed), failOverOnCommand()]);
  await failOver(frozen);
});
