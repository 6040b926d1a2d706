/** A lab that runs in the background: up, status, broken and mended by hand, run against, down; and what kill -9 leaves is undone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { startEmbeddedToxiproxy } from '../chaos/toxiproxy/embedded.js';
import type { RunRecord } from '../result/records.js';
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

/** Both at once: most of the time they wait for programs to start. */
const atOnce = { concurrency: 2 };

describe('labs in the background', atOnce, () => {
  test('a lab by hand: up, broken, mended, run against; its links too; a lab whose keeper was killed leaves nothing', {
    timeout: 120_000,
  }, async () => {
    const [temp, cwd, runtime] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const file = writeProfile(cwd, 'p.yaml', profile);
    const kvbench = (...args: string[]): Promise<Finished> => runKvbench(args, { cwd, temp, env: { KVBENCH_RUNTIME_DIR: runtime } });
    const ok = async (...args: string[]): Promise<string> => {
      const finished = await kvbench(...args);
      assert.equal(finished.code, 0, `kvbench ${args.join(' ')}: ${finished.stderr}${finished.stdout}`);
      return finished.stdout;
    };
    const refused = async (args: string[], code: number, why: RegExp): Promise<void> => {
      const finished = await kvbench(...args);
      assert.equal(finished.code, code, finished.stderr);
      assert.match(finished.stderr, why);
    };
    const stateOf = (lab: string): LabState => JSON.parse(readFileSync(join(runtime, `${lab}.lab.json`), 'utf8')) as LabState;
    const clients: Redis[] = [];
    try {
      const [up] = await Promise.all([
        ok('lab', 'up', file, '--name', 'one', '--network'),
        ok('lab', 'up', file, '--name', 'two', '--set', 'target={ topology: standalone }'),
      ]);
      assert.match(up, /n1 .* master .* up /);
      assert.match(up, /n2 .* replica of n1 .* yes .* up /);

      const pauseAndRefuse = [
        ok('inject', 'pause', '--lab', 'one', '--node', 'replica[0]'),
        refused(['lab', 'up', file, '--name', 'one'], 100, /a lab named one runs already \(kept by process \d+\)/),
        refused(['inject', 'isolate', '--lab', 'two', '--node', 'node[0]'], 104, /isolate acts on the network, and the lab two has no proxies/),
        refused(['inject', 'kill', '--lab', 'three', '--node', 'node[0]'], 100, /no lab named three runs/),
      ] as const;
      const [paused] = await Promise.all(pauseAndRefuse);
      assert.match(paused, /pause 1: n2 .* paused[\s\S]*kvbench heal --lab one/);
      const [status] = await Promise.all([
        ok('lab', 'status', 'one'),
        ok('inject', 'config', '--lab', 'one', '--node', 'master[0]', '--', 'set={ maxmemory: 77mb }'),
      ]);
      assert.match(status, /n2 .* does not answer/);
      assert.match(await ok('heal', '--lab', 'one'), /undone {6}CONFIG SET maxmemory 0 on n1[\s\S]*n2 goes on where it stood/);
      const killed = await ok('inject', 'kill', '--lab', 'one', '--node', 'master[0]', '--for', '200ms', '--', 'signal=KILL');
      assert.match(killed, /kill 1: n1 .* killed[\s\S]*kill 1 healed: n1/);

      // A client of the user's own, at the address that status shows.
      const announced = stateOf('one').nodes[0]?.announced;
      assert.ok(announced && up.includes(`${announced.host}:${announced.port}`));
      const ping = async (): Promise<string> => {
        const client = new Redis({ ...announced, retryStrategy: () => null, maxRetriesPerRequest: 0 });
        clients.push(client.on('error', () => undefined));
        return client.ping().catch(() => 'refused');
      };
      assert.equal(await ping(), 'PONG');
      const isolated = await ok('inject', 'isolate', '--lab', 'one', '--node', 'master[0]', '--', 'mode=refuse');
      assert.match(isolated, /isolate 1: n1 \| n2 \+ clients cut apart\nIt stays so until: kvbench heal --lab one/);
      assert.equal(await ping(), 'refused');
      assert.match(await ok('lab', 'status', 'one'), /In force: isolate of master\[0\] mode=refuse \(until kvbench heal --lab one\)/);
      assert.match(await ok('heal', '--lab', 'one'), /isolate of master\[0\] mode=refuse: 3 of 3 steps undone[\s\S]*every link is open/);
      assert.equal(await ping(), 'PONG');

      const dir = join(cwd, 'out');
      await Promise.all([ok('run', file, '--lab', 'one', '--out', dir), ok('lab', 'down', 'two')]);
      const { summary } = readResults(dir);
      assert.equal(summary.faults[0]?.status, 'healed');
      assert.ok(summary.ops.ok > 100);
      const { target } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as RunRecord;
      assert.equal(target?.proxied, true, 'the load goes through the links of the lab');

      assert.match(await ok('inject', 'partition', '--lab', 'one', '--', 'groups=[["master[0]"],[rest]]'), /partition 1: n1 \| n2 cut apart/);
      const { keeper, folder } = stateOf('one');
      process.kill(keeper.pid, 'SIGKILL');
      await eventually('the supervisor has ended the servers', 5000, () => !existsSync(folder));
      assert.match(await ok('heal'), /partition .*: it went with its lab/);
      assert.match(await ok('lab', 'status'), /lab one: its keeper \(process \d+\) has gone, and the servers with it/);
      assert.deepEqual(readdirSync(runtime), []);
      await assertNothingLeft(temp);
    } finally {
      for (const client of clients) client.disconnect();
      for (const name of ['one', 'two']) if (existsSync(join(runtime, `${name}.lab.json`))) await kvbench('lab', 'down', name);
    }
  });

  test('kill -9 in the middle of a fault on someone else’s servers: kvbench heal undoes it, and leaves a living run alone', {
    timeout: 120_000,
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
});
