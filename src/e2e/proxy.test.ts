/**
 * `kvbench proxy` as a server of somebody's own: for several clients at once, and in the place of a Toxiproxy that a profile names. Same
 * results and healing as embedded, foreign proxies untouched, and what a kill -9 left there is removed by `kvbench heal`.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Toxiproxy } from 'toxiproxy-node-client';
import { dial, dialError, echo, Upstream } from '../chaos/toxiproxy/sockets.test.support.js';
import {
  assertNothingLeft,
  assertNothingUnaccounted,
  type Results,
  type Running,
  readResults,
  runKvbench,
  startKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

interface ProxyState {
  name: string;
  listen: string;
  enabled: boolean;
  toxics: { name: string; type: string }[];
}

/** `kvbench proxy` on a free port; its first line is its address. */
async function startProxy(cwd: string, ...args: string[]): Promise<{ running: Running; url: string }> {
  const running = startKvbench(['proxy', '--port', '0', ...args], { cwd });
  let url = '';
  running.child.stdout?.on('data', (text: string) => {
    url += text;
  });
  await running.said(/Ctrl-C ends it/);
  return { running, url: url.split('\n')[0] ?? '' };
}

async function statesAt(url: string): Promise<ProxyState[]> {
  return Object.values((await (await fetch(`${url}/proxies`)).json()) as Record<string, ProxyState>);
}

test('kvbench proxy: proxies of a file, several clients at once, a port that is taken, and an end of every link', { timeout: 120_000 }, async () => {
  const cwd = temporaryFolder();
  const upstream = new Upstream(echo);
  const config = [
    { name: 'on', listen: '127.0.0.1:0', upstream: await upstream.listen() },
    { name: 'off', listen: '127.0.0.1:0', upstream: '127.0.0.1:1', enabled: false },
  ];
  const { running, url } = await startProxy(cwd, '--config', writeProfile(cwd, 'toxiproxy.json', JSON.stringify(config)), '--metrics');
  try {
    const [off, on] = await statesAt(url);
    assert.deepEqual([off?.enabled, on?.enabled], [false, true]);
    const taken = await runKvbench(['proxy', '--port', new URL(url).port], { cwd });
    assert.equal(taken.code, 100, taken.stderr);
    assert.match(taken.stderr, new RegExp(`port ${new URL(url).port} of 127.0.0.1 is in use\\n.*--port 0`));

    // Two users, who know nothing of each other, at the same time.
    const users = ['a', 'b'].map(async (user) => {
      const client = new Toxiproxy(url);
      for (let i = 0; i < 10; i++) {
        const proxy = await client.createProxy({ name: `${user}${i}`, listen: 'localhost:0', upstream: config[0]?.upstream ?? '' });
        await proxy.addToxic({ name: 't', type: 'latency', stream: 'downstream', toxicity: 1, attributes: { latency: 5, jitter: 0 } });
        const socket = await dial(proxy.listen);
        socket.socket.write(user);
        await socket.bytes(1);
        assert.equal(socket.data.toString(), user);
        socket.socket.destroy();
        await proxy.remove();
      }
    });
    await Promise.all(users);
    assert.equal((await statesAt(url)).length, 2);
    assert.match(await (await fetch(`${url}/metrics`)).text(), /toxiproxy_proxy_sent_bytes_total\{direction="downstream",[^}]*proxy="a0"/);

    const open = await dial(on?.listen ?? '');
    open.socket.write('x');
    await open.bytes(1);
    running.child.kill('SIGTERM');
    assert.equal((await running.finished).code, 0);
    await open.end();
    open.socket.destroy();
    for (const address of [on?.listen ?? '', url.replace('http://', '')]) assert.equal(await dialError(address), 'ECONNREFUSED');
  } finally {
    running.child.kill('SIGKILL');
    await upstream.close();
  }
});

const profile = (toxiproxy: string): string => `
name: through-a-proxy
toxiproxy: ${toxiproxy}
target: { topology: replicated, replicas: 1 }
load:
  threads: 1
  client: wire
  workload: { operations: { get: 50, set: 50 }, keys: { count: 50 }, preload: true }
  phases: [{ duration: 2800ms, rate: 200/s }]
chaos:
  - { at: 300ms, for: 700ms, fault: partition, groups: [["master[0]", clients], ["replica[0]"]] }
  - { at: 1600ms, for: 600ms, fault: toxic, node: "master[0]", toxics: [{ type: latency, attributes: { latency: 40 } }] }
thresholds: { availability: ["rate>0.99"] }
`;

/** What has to be the same wherever the proxies are. */
function outcome({ summary }: Results): unknown {
  assertNothingUnaccounted(summary);
  const [, slow] = summary.faults;
  const during = summary.windows.find(({ name, faultId }) => name === 'fault' && faultId === slow?.id);
  return {
    verdict: summary.verdict,
    ops: summary.ops,
    faults: summary.faults.map(({ kind, status, targets, sides }) => ({ kind, status, targets, sides })),
    isSlow: (during?.latencyUs.all?.p50 ?? 0) >= 40_000,
    healed: summary.healing,
  };
}

test('toxiproxy: URL: as embedded, foreign proxies untouched, and kvbench heal after a kill -9', {
  skip: process.platform !== 'linux',
  timeout: 150_000,
}, async () => {
  const [cwd, temp, runtime] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const env = { KVBENCH_RUNTIME_DIR: runtime };
  const { running, url } = await startProxy(cwd);
  let killed: Running | null = null;
  try {
    const foreign = await new Toxiproxy(url).createProxy({ name: 'foreign', listen: 'localhost:0', upstream: '127.0.0.1:1' });
    await foreign.addToxic({ name: 'theirs', type: 'latency', stream: 'upstream', toxicity: 1, attributes: { latency: 7, jitter: 0 } });
    const before = await statesAt(url);
    const own = async (): Promise<ProxyState[]> => (await statesAt(url)).filter(({ name }) => name !== 'foreign');

    const file = writeProfile(cwd, 'url.yaml', profile(url));
    const embedded = runKvbench(['run', writeProfile(cwd, 'embedded.yaml', profile('embedded')), '--out', 'embedded'], { cwd, temp, env });
    const there = startKvbench(['run', file, '--out', 'url'], { cwd, temp, env });
    await there.said(/partition 1: .* cut apart/);
    assert.ok((await own()).some(({ toxics }) => toxics.some(({ type }) => type === 'timeout')));
    await there.said(/toxic 2: /);
    assert.ok((await own()).some(({ toxics }) => toxics.some(({ type }) => type === 'latency')));
    const [atUrl, here] = await Promise.all([there.finished, embedded]);
    assert.deepEqual([atUrl.code, here.code], [0, 0], atUrl.stderr + here.stderr);
    const results = outcome(readResults(join(cwd, 'url')));
    assert.deepEqual(results, outcome(readResults(join(cwd, 'embedded'))));
    assert.ok((results as { isSlow: boolean }).isSlow, 'the toxic was felt');
    assert.deepEqual(await statesAt(url), before);

    killed = startKvbench(['run', file, '--out', 'killed'], { cwd, temp, env });
    await killed.said(/partition 1: .* cut apart/);
    killed.child.kill('SIGKILL');
    await killed.finished;
    assert.ok((await own()).length > 0);
    const healed = await runKvbench(['heal', 'killed'], { cwd, temp, env });
    assert.equal(healed.code, 0, healed.stdout + healed.stderr);
    assert.match(healed.stdout, /undone +remove the proxy kvbench-/);
    assert.deepEqual(await statesAt(url), before);
    assert.deepEqual(readdirSync(runtime), [], 'no journal is left');
    await assertNothingLeft(temp);
  } finally {
    killed?.child.kill('SIGKILL');
    running.child.kill('SIGKILL');
    await running.finished;
  }
});
