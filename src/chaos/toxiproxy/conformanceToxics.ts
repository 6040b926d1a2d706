/**
 * What each toxic does to connections, told from outside: the second half of the conformance suite (conformance.ts), for any server.
 * A delay may be late, never short; that something does not come is believed after a short wait, so that these tests err towards passing.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import { RandomStream } from '../../base/random.js';
import type { Call } from './conformance.js';
import { dial, echo, type ToxicBody, Upstream, type Watched } from './sockets.test.support.js';

/** How long something that must not come is waited for. */
const QUIET_US = 60_000;
/** Long enough that what waits for it has not come by itself. */
const NEVER_MS = 600_000;

/** One proxy in front of an upstream of this process. */
class Path {
  constructor(
    readonly call: Call,
    readonly upstream: Upstream,
    readonly address: string,
  ) {}

  async add(toxic: ToxicBody): Promise<void> {
    const { status, text } = await this.call('POST', '/proxies/p/toxics', toxic);
    assert.equal(status, 200, text);
  }

  async update(name: string, change: Partial<ToxicBody>): Promise<void> {
    assert.equal((await this.call('PATCH', `/proxies/p/toxics/${name}`, change)).status, 200);
  }

  async remove(name: string): Promise<void> {
    assert.equal((await this.call('DELETE', `/proxies/p/toxics/${name}`)).status, 204);
  }

  connect(): Promise<Watched> {
    return dial(this.address);
  }
}

/** Sends one byte and returns how long its echo took, in µs. */
async function pingUs(client: Watched): Promise<number> {
  const expectedBytes = client.receivedBytes + 1;
  const sentUs = monotonicUs();
  client.socket.write('x');
  await client.bytes(expectedBytes);
  return monotonicUs() - sentUs;
}

/** Registers the tests. @param call a request to the server */
export function toxicBehaviourTests(call: Call): void {
  const opened: Upstream[] = [];
  const open = async (onConnection?: (socket: Socket) => void): Promise<Path> => {
    const upstream = new Upstream(onConnection);
    opened.push(upstream);
    const { json } = await call('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream: await upstream.listen() });
    return new Path(call, upstream, String(json.listen));
  };
  afterEach(async () => {
    for (const upstream of opened.splice(0)) await upstream.close();
  });
  delayTests(open);
  rateTests(open);
  closingTests(open);
  lossTests(open);
  liveTests(open);
}

type Open = (onConnection?: (socket: Socket) => void) => Promise<Path>;

function delayTests(open: Open): void {
  test('latency delays each way by its time, and several add up', async () => {
    const path = await open(echo);
    await path.add({ type: 'latency', name: 'a', attributes: { latency: 20 } });
    await path.add({ type: 'latency', name: 'b', attributes: { latency: 20 } });
    await path.add({ type: 'latency', stream: 'upstream', attributes: { latency: 20 } });
    const client = await path.connect();
    for (let i = 0; i < 3; i++) {
      const tookUs = await pingUs(client);
      assert.ok(tookUs >= 59_000 && tookUs < 2_000_000, `${tookUs} µs`);
    }
  });

  test('latency with jitter stays within its bounds, and keeps the order', async () => {
    const path = await open(echo);
    await path.add({ type: 'latency', attributes: { latency: 15, jitter: 12 } });
    const client = await path.connect();
    for (let i = 0; i < 5; i++) assert.ok((await pingUs(client)) >= 2_900);
    const text = Array.from({ length: 300 }, (_, i) => `${i},`).join('');
    for (const part of text.match(/.{1,7}/g) ?? []) client.socket.write(part);
    await client.bytes(5 + text.length);
    assert.equal(client.data.subarray(5).toString(), text);
  });

  test('latency counts from the arrival of a chunk: chunks travel together', async () => {
    const path = await open(echo);
    await path.add({ type: 'latency', attributes: { latency: 150 } });
    const client = await path.connect();
    const startUs = monotonicUs();
    for (let i = 0; i < 20; i++) {
      client.socket.write('x');
      await sleepUs(1_000);
    }
    await client.bytes(20);
    const tookUs = monotonicUs() - startUs;
    assert.ok(tookUs < 2_500_000, `${tookUs} µs for 20 chunks of 150 ms each`);
  });

  test('a chunk that latency holds passes at once when it is removed', async () => {
    const path = await open(echo);
    await path.add({ type: 'latency', name: 'l', attributes: { latency: NEVER_MS } });
    const client = await path.connect();
    client.socket.write('held');
    await sleepUs(QUIET_US);
    assert.equal(client.receivedBytes, 0);
    await path.remove('l');
    await client.bytes(4);
  });

  test('slow_close delays the close, not the data', async () => {
    const path = await open((socket) => socket.end('bye'));
    await path.add({ type: 'slow_close', attributes: { delay: 80 } });
    const startUs = monotonicUs();
    const client = await path.connect();
    await client.bytes(3);
    await client.end();
    assert.ok(monotonicUs() - startUs >= 79_000);
    client.socket.destroy();
  });
}

function rateTests(open: Open): void {
  test('bandwidth is no faster than its rate of 1000 bytes a second and KB, and cuts slices', async () => {
    const path = await open((socket) => socket.write(Buffer.alloc(60_000)));
    await path.add({ type: 'bandwidth', attributes: { rate: 200 } });
    const startUs = monotonicUs();
    const client = await path.connect();
    await client.bytes(60_000);
    const tookUs = monotonicUs() - startUs;
    assert.ok(tookUs >= 295_000 && tookUs < 3_000_000, `${tookUs} µs`);
    assert.ok(client.chunks.length >= 3, `${client.chunks.length} chunks`);
  });

  test('bandwidth of rate 0 stalls until it is removed', async () => {
    const path = await open((socket) => socket.write(Buffer.alloc(100_000, 7)));
    await path.add({ type: 'bandwidth', name: 'b', attributes: { rate: 0 } });
    const client = await path.connect();
    await sleepUs(QUIET_US);
    assert.equal(client.receivedBytes, 0);
    await path.remove('b');
    await client.bytes(100_000);
  });

  test('slicer cuts chunks apart, with its delay in µs between them, and keeps every byte', async () => {
    const path = await open(echo);
    await path.add({ type: 'slicer', attributes: { average_size: 100, size_variation: 20, delay: 3_000 } });
    const client = await path.connect();
    const sent = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251));
    const startUs = monotonicUs();
    client.socket.write(sent);
    await client.bytes(sent.length);
    const tookUs = monotonicUs() - startUs;
    assert.ok(tookUs >= 20_000 && tookUs < 3_000_000, `${tookUs} µs`);
    assert.deepEqual(client.data, sent);
  });
}

function closingTests(open: Open): void {
  test('timeout drops data and closes after its time without any; every chunk starts it anew', async () => {
    const path = await open();
    await path.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 120 } });
    const client = await path.connect();
    let lastSentUs = 0;
    for (let i = 0; i < 4; i++) {
      lastSentUs = monotonicUs();
      client.socket.write('x');
      await sleepUs(40_000);
    }
    await client.end();
    assert.ok(monotonicUs() - lastSentUs >= 119_000);
    assert.equal((await path.upstream.connection(0)).receivedBytes, 0);
    client.socket.destroy();
  });

  test('timeout 0 never closes; removing it closes the connection', async () => {
    const path = await open(echo);
    await path.add({ type: 'timeout', name: 't', attributes: { timeout: 0 } });
    const client = await path.connect();
    client.socket.write('lost');
    await sleepUs(QUIET_US);
    assert.equal(client.ended, false);
    await path.remove('t');
    await client.end();
    assert.equal(client.receivedBytes, 0);
    client.socket.destroy();
  });

  test('reset_peer resets after its time from the first chunk on', async () => {
    const path = await open();
    await path.add({ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 40 } });
    const client = await path.connect();
    const startUs = monotonicUs();
    client.socket.write('x');
    await client.close();
    assert.ok(monotonicUs() - startUs >= 39_000);
    assert.equal(client.errorCode, 'ECONNRESET');
    assert.equal((await path.upstream.connection(0)).receivedBytes, 0);
  });

  test('reset_peer is armed by the end of the stream too', async () => {
    const path = await open((socket) => socket.end());
    await path.add({ type: 'reset_peer', attributes: { timeout: 0 } });
    const client = await path.connect();
    await client.close();
    assert.equal(client.errorCode, 'ECONNRESET');
  });

  test('reset_peer closes without a reset what was open before it was added', async () => {
    const path = await open(echo);
    const client = await path.connect();
    await pingUs(client);
    await path.add({ type: 'reset_peer', attributes: { timeout: 0 } });
    client.socket.write('x');
    await client.end();
    assert.equal(client.errorCode, null);
    client.socket.destroy();
  });

  test('limit_data closes at its limit, to the byte', async () => {
    const path = await open((socket) => socket.write(Buffer.alloc(100_000, 1)));
    await path.add({ type: 'limit_data', attributes: { bytes: 70_001 } });
    const client = await path.connect();
    await client.end();
    assert.equal(client.receivedBytes, 70_001);
    client.socket.destroy();
  });
}

function lossTests(open: Open): void {
  test('packet_loss of 1 drops everything, of 0 nothing', async (context) => {
    const path = await open(echo);
    const added = await path.call('POST', '/proxies/p/toxics', { type: 'packet_loss', name: 'l', attributes: { loss_rate: 1 } });
    if (added.json.error === 'invalid toxic type') return context.skip('the server is older than this toxic');
    const client = await path.connect();
    client.socket.write('lost');
    await sleepUs(QUIET_US);
    assert.equal(client.receivedBytes, 0);
    await path.update('l', { attributes: { loss_rate: 0 } });
    client.socket.write('kept');
    await client.bytes(4);
  });

  test('noop does nothing', async () => {
    const path = await open(echo);
    await path.add({ type: 'noop' });
    const client = await path.connect();
    client.socket.end('whole');
    await client.end();
    assert.equal(client.data.toString(), 'whole');
  });

  test('the die of toxicity is rolled per connection', async () => {
    const path = await open(echo);
    await path.add({ type: 'limit_data', toxicity: 0.5, attributes: { bytes: 0 } });
    let hits = 0;
    for (let i = 0; i < 40; i++) {
      const client = await path.connect();
      client.socket.write('x');
      await client.bytesOrEnd(1);
      if (client.receivedBytes === 0) hits++;
      client.socket.destroy();
    }
    assert.ok(hits > 0 && hits < 40, `${hits} of 40 connections were hit`);
  });

  test('toxicity 0 spares every connection', async () => {
    const path = await open(echo);
    await path.add({ type: 'timeout', toxicity: 0, attributes: { timeout: 0 } });
    await pingUs(await path.connect());
  });
}

function liveTests(open: Open): void {
  test('on a live connection a toxic acts once it is added, changed, switched off by its toxicity', async () => {
    const path = await open(echo);
    const client = await path.connect();
    await pingUs(client);
    await path.add({ type: 'latency', name: 'l', attributes: { latency: 30 } });
    assert.ok((await pingUs(client)) >= 29_000);
    await path.update('l', { attributes: { latency: 60 } });
    assert.ok((await pingUs(client)) >= 59_000);
    await path.update('l', { attributes: { latency: NEVER_MS }, toxicity: 0 });
    await pingUs(client);
  });

  const kinds: ToxicBody[] = [
    { type: 'latency', attributes: { latency: 5, jitter: 5 } },
    { type: 'bandwidth', attributes: { rate: 20_000 } },
    { type: 'slicer', attributes: { average_size: 3_000, size_variation: 1_000, delay: 50 } },
    { type: 'slow_close', attributes: { delay: 10 } },
    { type: 'noop' },
  ];
  for (const seed of [5, 6]) {
    test(`toxics that come, change and go lose, repeat and swap no byte (seed ${seed})`, async () => {
      const path = await open(echo);
      const random = new RandomStream(seed, 1_000);
      let drawIndex = 0;
      const below = (bound: number): number => random.below(drawIndex++, bound);
      const client = await path.connect();
      const sent: Buffer[] = [];
      const send = async (): Promise<void> => {
        for (let i = 0; i < 150; i++) {
          const part = Buffer.alloc(1 + below(5_000), i);
          sent.push(part);
          client.socket.write(part);
          if (i % 4 === 0) await sleepUs(1_000);
        }
      };
      const change = async (): Promise<void> => {
        const names: string[] = [];
        for (let i = 0; i < 30; i++) {
          const name = names[below(Math.max(1, names.length))];
          const action = below(3);
          if (action === 0 || name === undefined) {
            const kind = kinds[below(kinds.length)] as ToxicBody;
            await path.add({ ...kind, name: `t${i}`, stream: below(2) === 0 ? 'upstream' : 'downstream', toxicity: below(2) === 0 ? 1 : 0.5 });
            names.push(`t${i}`);
          } else if (action === 1) await path.update(name, { toxicity: below(3) / 2 });
          else await path.remove(names.splice(names.indexOf(name), 1)[0] ?? '');
        }
        for (const name of names) await path.remove(name);
      };
      await Promise.all([send(), change()]);
      const expected = Buffer.concat(sent);
      await client.bytes(expected.length);
      assert.ok(client.data.equals(expected));
    });
  }
}
