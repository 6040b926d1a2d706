/** A lab that runs in the background: up, status, broken and mended by hand, run against, down; and what kill -9 leaves is undone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEmbeddedToxiproxy } from '../chaos/toxiproxy/embedded.js';
import type { LabState } from '../topology/labState.js';
import {
  assertNothingLeft,
  eventually,
  type Finished,
  readResults,
  runKvbench,
  startKvbench,
  startServer,
  temporaryFolder,
  writeProfile,
} from './harness.js';

const profile = `
name: by-hand
target: { topology: replicated, replicas: 1 }
load:
  threads: 1
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 500 }, values: { size: 32B } }
  phases: [ { name: steady, duration: 2s, rate: 200/s } ]
chaos:
  - { at: 500ms, for: 500ms, fault: pause, node: "master[0]" }
`;

test('a lab by hand: up, broken, mended, run against, taken down; a lab whose keeper was killed is recognised', { timeout: 120_000 }, async () => {
  const [temp, cwd, runtime] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const file = writeProfile(cwd, 'p.yaml', profile);
  const kvbench = (...args: string[]): Promise<Finished> => runKvbench(args, { cwd, temp, env: { KVBENCH_RUNTIME_DIR: runtime } });
  const ok = async (...args: string[]): Promise<string> => {
    const finished = await kvbench(...args);
    assert.equal(finished.code, 0, `kvbench ${args.join(' ')}: ${finished.stderr}${finished.stdout}`);
    return finished.stdout;
  };
  try {
    const up = await ok('lab', 'up', file, '--name', 'one');
    assert.match(up, /n1 .* master .* up /);
    assert.match(up, /n2 .* replica of n1 .* yes .* up /);
    const again = await kvbench('lab', 'up', file, '--name', 'one');
    assert.equal(again.code, 100);
    assert.match(again.stderr, /a lab named one runs already \(kept by process \d+\)/);

    assert.match(await ok('inject', 'pause', '--lab', 'one', '--node', 'replica[0]'), /pause 1: n2 .* paused[\s\S]*kvbench heal --lab one/);
    assert.match(await ok('lab', 'status', 'one'), /n2 .* does not answer/);
    await ok('inject', 'config', '--lab', 'one', '--node', 'master[0]', '--', 'set={ maxmemory: 77mb }');
    assert.match(await ok('heal', '--lab', 'one'), /undone {6}CONFIG SET maxmemory 0 on n1[\s\S]*n2 goes on where it stood/);
    const killed = await ok('inject', 'kill', '--lab', 'one', '--node', 'master[0]', '--for', '200ms', '--', 'signal=KILL');
    assert.match(killed, /kill 1: n1 .* killed[\s\S]*kill 1 healed: n1/);
    const refused = await kvbench('inject', 'toxic', '--lab', 'one', '--node', 'master[0]', '--', 'dropConnections=true');
    assert.equal(refused.code, 104);
    assert.match(refused.stderr, /toxic acts on the network, and a lab in the background has no proxies/);

    const dir = join(cwd, 'out');
    await ok('run', file, '--lab', 'one', '--out', dir);
    const { summary } = readResults(dir);
    assert.equal(summary.faults[0]?.status, 'healed');
    assert.ok(summary.ops.ok > 100);

    const { keeper, folder } = JSON.parse(readFileSync(join(runtime, 'one.lab.json'), 'utf8')) as LabState;
    process.kill(keeper.pid, 'SIGKILL');
    await eventually('the supervisor has ended the servers', 5000, () => !existsSync(folder));
    assert.match(await ok('lab', 'status'), /lab one: its keeper \(process \d+\) has gone, and the servers with it/);
    assert.deepEqual(readdirSync(runtime), []);
    await assertNothingLeft(temp);
  } finally {
    if (existsSync(join(runtime, 'one.lab.json'))) await kvbench('lab', 'down', 'one');
  }
});

test('kill -9 in the middle of a fault on someone else’s servers: kvbench heal undoes it, and leaves a living run alone', {
  timeout: 60_000,
}, async () => {
  const [cwd, runtime] = [temporaryFolder(), temporaryFolder()];
  const toxiproxy = await startEmbeddedToxiproxy();
  try {
    const { port, client } = await startServer();
    const env = { KVBENCH_RUNTIME_DIR: runtime };
    const external = `
name: guest
target: { topology: external, url: "redis://127.0.0.1:${port}" }
toxiproxy: ${toxiproxy.url}
allow: [toxic, config]
load:
  threads: 1
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 100 }, values: { size: 32B } }
  phases: [ { name: steady, duration: 60s, rate: 200/s } ]
chaos:
  - { at: 300ms, fault: config, node: "master[0]", set: { maxmemory: 64mb } }
  - { at: 600ms, fault: toxic, node: "master[0]", toxics: [ { type: latency, attributes: { latency: 20 } } ] }
`;
    const dir = join(cwd, 'out');
    const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', external), '--out', dir], { cwd, env });
    await running.said(/toxic 2/);
    assert.match((await runKvbench(['heal'], { cwd, env })).stdout, /is running as process \d+ and heals itself/);
    running.child.kill('SIGKILL');
    await running.finished;
    assert.equal((await client.config('GET', 'maxmemory'))[1], String(64 * 1024 * 1024));
    assert.notDeepEqual(await (await fetch(`${toxiproxy.url}/proxies`)).json(), {});

    const healed = await runKvbench(['heal', dir], { cwd, env });
    assert.equal(healed.code, 0, healed.stderr + healed.stdout);
    assert.match(healed.stdout, /guest \(.*out\): \d of \d steps undone/);
    assert.match(healed.stdout, /undone {6}CONFIG SET maxmemory 0/i);
    assert.match(healed.stdout, /undone {6}remove the proxy /);
    assert.equal((await client.config('GET', 'maxmemory'))[1], '0');
    assert.deepEqual(await (await fetch(`${toxiproxy.url}/proxies`)).json(), {});
    assert.deepEqual(readdirSync(runtime), []);
  } finally {
    await toxiproxy.close();
  }
});
