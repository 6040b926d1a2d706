/** One fault after the other on one cluster under load: each one's effect on the load or the topology, and its complete healing. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import type { EventOf } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { findServer } from '../topology/findServer.js';
import { parseInfo } from '../topology/infoReply.js';
import {
  assertNothingLeft,
  assertNothingUnaccounted,
  type Results,
  readResults,
  runKvbench,
  startKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

// Mostly they wait.
describe('the catalogue', { concurrency: 2 }, () => {
  test('failover, client-pause, client-kill, slow-command, config, throttle, wipe, full-sync: each has its effect and is healed', {
    timeout: 150_000,
  }, async () => {
    const temp = temporaryFolder();
    const cwd = temporaryFolder();
    const profile = writeProfile(
      cwd,
      'catalogue.yaml',
      `
name: catalogue
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 4000 } }
load:
  threads: 1
  timeout: 3s
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 3000 }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 14500ms, rate: 400/s } ]
chaos:
  - { at: 1s, fault: failover, node: "master of slot 0" }
  - { at: 2500ms, for: 700ms, fault: client-pause, node: "master[2]", commands: write }
  - { at: 4s, for: 800ms, fault: client-pause, node: "master[1]", commands: all }
  - { at: 5500ms, for: 700ms, fault: client-kill, node: "master[2]", repeat: 200ms }
  - { at: 7s, fault: slow-command, node: "master[1]", duration: 700ms }
  - { at: 8500ms, for: 1s, fault: config, node: "master[2]", set: { maxmemory: 1mb, maxmemory-policy: noeviction } }
  - { at: 10s, for: 1500ms, fault: throttle, node: "master[1]", share: 10%, period: 500ms }
  - { at: 12s, for: 800ms, fault: wipe, node: "replica of master[0]" }
  - { at: 12s, fault: full-sync, node: "replica of master[1]" }
`,
    );
    const dir = join(cwd, 'out');
    const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    const results = readResults(dir);
    const { summary } = results;
    assertNothingUnaccounted(summary);
    assert.deepEqual(
      summary.faults.map(({ kind, status }) => [kind, status]),
      [
        ['failover', 'healed'],
        ['client-pause', 'healed'],
        ['client-pause', 'healed'],
        ['client-kill', 'healed'],
        ['slow-command', 'healed'],
        ['config', 'healed'],
        ['throttle', 'healed'],
        ['wipe', 'healed'],
        ['full-sync', 'healed'],
      ],
    );

    const first = summary.faults[0];
    assert.ok(typeof first?.promotedMs === 'number', 'the failover’s promotion was seen');
    assert.equal(summary.target?.nodes.find((node) => node.id === 'n4')?.role, 'replica', 'before t0');
    assert.equal(atTheEnd(results).find((node) => node.id === 'n4')?.role, 'master', 'the replica took over');
    assert.ok(longestGapMs(summary, 2, 'write') > 500, 'writes waited for the pause');
    // It is a chain of short pauses, and an operation may slip through between two of them.
    assert.ok(longestGapMs(summary, 3, 'write') > 200 && longestGapMs(summary, 3, 'read') > 200, 'everything waited');
    const closed = results.events.filter((event) => event.type === 'connection' && event.state === 'closed' && inForce(summary, 4, event.tUs));
    assert.ok(closed.length >= 2, `connections were closed again and again: ${closed.length}`);
    assert.ok(longestGapMs(summary, 5, 'read') > 500, 'a busy server answers nobody');
    assert.ok((summary.ops.byReason.OOM ?? 0) > 10, `writes beyond maxmemory: ${JSON.stringify(summary.ops.byReason)}`);
    assert.ok(longestGapMs(summary, 7, 'read') > 300, 'a starved server stutters');
    const wiped = summary.faults[7];
    assert.ok(typeof wiped?.processGoneMs === 'number' && typeof wiped.redundancyRestoredMs === 'number', JSON.stringify(wiped));
    assert.ok(
      results.events.some((event) => event.type === 'log' && event.log === 'replicaSyncDone' && event.tUs > 12_000_000),
      'the empty replica was given its data again',
    );
    const synced = results.events.flatMap((event) => (event.type === 'message' && event.text.includes('has its data again') ? [event.text] : []));
    assert.match(synced.join(), /^n5 has its data again after \d+ ms: [1-9]\d{4,} bytes of replication from n2 \(1 full, 0 partial\)$/);
    for (const node of atTheEnd(results)) assert.notEqual(node.role, 'unknown', node.id);
    await assertNothingLeft(temp);
  });

  test('reshard, exec, fork, rolling-restart, rolling-upgrade: no operation is lost while slots move, and all of it heals', {
    timeout: 150_000,
  }, async () => {
    const temp = temporaryFolder();
    const cwd = temporaryFolder();
    const said = join(cwd, 'said.txt');
    const say = (what: string): string => JSON.stringify(['sh', '-c', `echo ${what} $KVBENCH_NODE $1 {role} >> ${said}`, 'sh', '{address}']);
    // The same server under another path, which its INFO tells.
    const upgraded = join(cwd, 'next-server');
    symlinkSync(findServer(undefined, process.env).path, upgraded);
    const profile = writeProfile(
      cwd,
      'moving.yaml',
      `
name: moving
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 5000 } }
load:
  threads: 1
  timeout: 5s
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 3000 }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 32s, rate: 200/s } ]
chaos:
  - { at: 1s, for: 2s, fault: reshard, node: "master[0]", to: "master[1]", slots: 400 }
  - { at: 5s, fault: fork, node: "master[2]" }
  - { at: 5s, for: 500ms, fault: exec, node: "master[2]", inject: ${say('break')}, heal: ${say('mend')} }
  - { at: 6s, fault: rolling-restart, node: "master[0]" }
  - { after: { fault: 4, state: healed }, fault: rolling-upgrade, to: ${JSON.stringify(upgraded)} }
thresholds: { "errors{fault:1}": ["count==0"] }
`,
    );
    const dir = join(cwd, 'out');
    const running = startKvbench(['run', profile, '--out', dir], { cwd, temp });
    await running.said(/rolling-upgrade 5 healed/);
    const run = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as { target: { nodes: { id: string; address: string }[] } };
    const programs = await Promise.all(run.target.nodes.map(async ({ id, address }) => `${id} ${await executableOf(address)}`));
    assert.deepEqual(
      programs,
      Array.from({ length: 6 }, (_, i) => `n${i + 1} ${upgraded}`),
    );
    const finished = await running.finished;
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    const results = readResults(dir);
    const { summary, events } = results;
    assertNothingUnaccounted(summary);
    assert.deepEqual(
      summary.faults.map(({ kind, status }) => [kind, status]),
      [
        ['reshard', 'healed'],
        ['fork', 'healed'],
        ['exec', 'healed'],
        ['rolling-restart', 'healed'],
        ['rolling-upgrade', 'healed'],
      ],
    );
    const notes = events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
    const told = (pattern: RegExp): RegExpExecArray => {
      const found = notes.map((note) => pattern.exec(note)).find((match) => match !== null);
      assert.ok(found, `${pattern} in ${notes.join('; ')}`);
      return found;
    };
    const [, slots, keys] = told(/moved (\d+) slots with (\d+) keys from n1 to n2/);
    assert.ok(Number(slots) > 10 && Number(keys) > 10, `${slots} slots, ${keys} keys`);
    told(new RegExp(`${slots} slots are back on n1`));
    const slotsOf = (id: string, nodes: { id: string; slots: string[] }[]): string => nodes.find((node) => node.id === id)?.slots.join() ?? '';
    told(/bgsave of n3: the fork took \d+ µs, all of it \d+ ms \(ok\)/);
    const { address } = summary.target?.nodes.find((node) => node.id === 'n3') ?? {};
    assert.deepEqual(readFileSync(said, 'utf8').trim().split('\n'), [`break n3 ${address} master`, `mend n3 ${address} master`]);

    const [before, ...later] = summary.placement ?? [];
    const after = later.at(-1);
    assert.deepEqual([before?.name, after?.name], ['before', 'after'], 'slots changed hands');
    const holders = (part: typeof before): string => (part?.nodes ?? []).flatMap(({ node, slots }) => (slots > 0 ? [node] : [])).join();
    assert.deepEqual([holders(before), holders(after)], ['n1,n2,n3', 'n1,n5,n6']);
    for (const part of [before, after])
      assert.equal(
        part?.nodes.reduce((keyCount, node) => keyCount + (node.keys ?? 0), 0),
        3000,
        part?.name,
      );

    const restartedBy = (faultId: number): string =>
      events.flatMap((event) => (event.type === 'process' && event.state === 'exited' && event.byFault === faultId ? [event.node] : [])).join();
    assert.equal(restartedBy(4), 'n1');
    assert.equal(restartedBy(5), 'n1,n5,n6,n2,n3,n4', 'replicas first: n1 became one when it was restarted');
    assert.equal(notes.filter((note) => /^n\d was restarted \(\d of 6, now [\d.]+\)$/.test(note)).length, 6, notes.join('; '));
    const end = atTheEnd(results);
    assert.equal(
      end
        .filter((node) => node.role === 'master')
        .map((node) => node.id)
        .sort()
        .join(),
      'n1,n5,n6',
      'masters handed over, that of shard 0 twice',
    );
    assert.equal(slotsOf('n5', end), slotsOf('n2', summary.target?.nodes ?? []), 'every slot is where it was, with the replica that took over');
    assert.deepEqual(summary.healing?.missing, []);
    await assertNothingLeft(temp);
  });

  test('remove-node, add-node: slots go to the newcomer and back, no operation is lost, and what left is gone', { timeout: 150_000 }, async () => {
    const temp = temporaryFolder();
    const cwd = temporaryFolder();
    const profile = writeProfile(
      cwd,
      'growing.yaml',
      `
name: growing
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 5000 } }
load:
  threads: 1
  timeout: 5s
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 3000 }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 11s, rate: 200/s } ]
chaos:
  - { at: 500ms, fault: remove-node, node: "replica of master[2]" }
  - { after: { fault: 1, state: healed }, for: 5s, fault: add-node, heal: remove }
`,
    );
    const dir = join(cwd, 'out');
    const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    const results = readResults(dir);
    const { summary, events } = results;
    assertNothingUnaccounted(summary);
    assert.deepEqual(
      summary.faults.map(({ kind, status }) => [kind, status]),
      [
        ['remove-node', 'healed'],
        ['add-node', 'healed'],
      ],
    );
    assert.equal(summary.ops.ok, 2200, `no operation is lost: ${JSON.stringify(summary.ops)}`);
    const notes = events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
    const slots = notes.map((note) => /^n7 took over (\d+) slots with (\d+) keys/.exec(note)).find((match) => match !== null);
    assert.ok(Number(slots?.[1]) > 100 && Number(slots?.[2]) > 10, notes.join('; '));
    const seen = events.filter((event) => event.type === 'role' && event.node === 'n7');
    assert.ok(seen.length > 0, 'the newcomer was watched');
    const served = events.flatMap((event) => (event.type === 'server' && event.node === 'n7' ? [event.sample.opsPerSec ?? 0] : []));
    assert.ok(Math.max(...served) > 0, `the newcomer served: ${served.join()}`);
    const nodes = atTheEnd(results).map((node) => node.id);
    assert.deepEqual(nodes, ['n1', 'n2', 'n3', 'n4', 'n5'], 'n6 was removed, and n7 came and went');
    const gone = events.flatMap((event) => (event.type === 'process' && event.state === 'exited' ? [[event.node, event.byFault]] : []));
    assert.deepEqual(gone, [
      ['n6', 1],
      ['n7', 2],
    ]);
    const keys = Object.values(summary.target?.keysPerNode ?? {}).reduce((sum, count) => sum + count, 0);
    assert.equal(keys, 3000, 'every key is where it belongs, once');
    assert.deepEqual(summary.healing?.missing, []);
    await assertNothingLeft(temp);
  });
});

/** Who is what after healing. */
function atTheEnd({ events }: Results): EventOf<'target'>['nodes'] {
  return events.find((event) => event.type === 'target')?.nodes ?? [];
}

function longestGapMs(summary: Summary, faultId: number, kind: 'read' | 'write'): number {
  const gaps = summary.availability.gaps.filter((gap) => gap.faultId === faultId && gap.kind === kind && !gap.collateral);
  return Math.max(0, ...gaps.map((gap) => gap.durationMs));
}

function inForce(summary: Summary, faultId: number, tUs: number): boolean {
  const fault = summary.faults.find(({ id }) => id === faultId);
  const fromMs = fault?.injectedAtMs ?? Number.POSITIVE_INFINITY;
  return tUs / 1000 >= fromMs - 50 && tUs / 1000 <= (fault?.healedAtMs ?? Number.NEGATIVE_INFINITY) + 200;
}

/** The path a server was started by. */
async function executableOf(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const client = new Redis({ host, port: Number(port) });
  try {
    return parseInfo(await client.info('server')).get('executable') ?? '';
  } finally {
    client.disconnect();
  }
}
