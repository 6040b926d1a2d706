/** What each toxic does to real connections. Upper limits of time are generous, lower ones exact: a delay may be late, never short. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import type { ToxiproxyServerOptions } from './server.js';
import { Bench, echo, until } from './sockets.test.support.js';

const benches: Bench[] = [];

async function startBench(onConnection?: (socket: Socket) => void, options?: ToxiproxyServerOptions): Promise<Bench> {
  const bench = await Bench.start(onConnection, options);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

/** Sends one byte and returns how long its echo took, in µs. */
async function pingUs(client: Awaited<ReturnType<Bench['connect']>>): Promise<number> {
  const expectedBytes = client.receivedBytes + 1;
  const sentUs = monotonicUs();
  client.socket.write('x');
  await client.bytes(expectedBytes);
  return monotonicUs() - sentUs;
}

describe('latency', () => {
  for (const stream of ['upstream', 'downstream'] as const) {
    test(`delays ${stream} by its time, never less`, async () => {
      const bench = await startBench(echo);
      await bench.addToxic({ type: 'latency', stream, attributes: { latency: 30 } });
      const client = await bench.connect();
      const times: number[] = [];
      for (let i = 0; i < 15; i++) times.push(await pingUs(client));
      assert.ok(Math.min(...times) >= 30_000, `early: ${Math.min(...times)} µs`);
      const median = times.toSorted((a, b) => a - b)[7] ?? 0;
      // Wide: how punctual it is on a quiet machine is measured by the accuracy suite.
      assert.ok(median < 150_000, `late: ${median} µs`);
    });
  }

  test('two of them add up, and one on each way does too', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'latency', name: 'a', attributes: { latency: 20 } });
    await bench.addToxic({ type: 'latency', name: 'b', attributes: { latency: 20 } });
    await bench.addToxic({ type: 'latency', stream: 'upstream', attributes: { latency: 20 } });
    const client = await bench.connect();
    const tookUs = await pingUs(client);
    assert.ok(tookUs >= 60_000 && tookUs < 500_000, `${tookUs} µs`);
  });

  test('jitter spreads the delay within its bounds and keeps the order', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'latency', attributes: { latency: 20, jitter: 15 } });
    const client = await bench.connect();
    const times: number[] = [];
    for (let i = 0; i < 20; i++) times.push(await pingUs(client));
    assert.ok(Math.min(...times) >= 5_000);
    assert.ok(Math.max(...times) - Math.min(...times) > 5_000, 'no spread');
    const text = Array.from({ length: 500 }, (_, i) => `${i},`).join('');
    const startBytes = client.receivedBytes;
    for (const part of text.match(/.{1,7}/g) ?? []) client.socket.write(part);
    await client.bytes(startBytes + text.length);
    assert.equal(client.data.subarray(startBytes).toString(), text);
  });

  test('is a delay, not a rate: chunks travel together', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'latency', attributes: { latency: 100 } });
    const client = await bench.connect();
    const startUs = monotonicUs();
    for (let i = 0; i < 20; i++) {
      client.socket.write('x');
      await sleepUs(1_000);
    }
    await client.bytes(20);
    const tookUs = monotonicUs() - startUs;
    assert.ok(tookUs < 1_500_000, `${tookUs} µs for 20 chunks of 100 ms each`);
  });

  test('the close does not overtake the data before it', async () => {
    const bench = await startBench((socket) => socket.end('bye'));
    await bench.addToxic({ type: 'latency', attributes: { latency: 50 } });
    const startUs = monotonicUs();
    const client = await bench.connect();
    await client.end();
    assert.equal(client.data.toString(), 'bye');
    assert.ok(monotonicUs() - startUs >= 50_000);
    client.socket.destroy();
  });
});

describe('a toxic on a live connection', () => {
  test('acts at once when added, changed and removed; what is pending passes on removal', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    assert.ok((await pingUs(client)) < 1_000_000);
    await bench.addToxic({ type: 'latency', name: 'slow', attributes: { latency: 600_000 } });
    client.socket.write('first');
    await until('the reply is held', async () => (await bench.traffic('received', 'downstream')) === 6);
    assert.equal(client.receivedBytes, 1);
    await bench.updateToxic('slow', { attributes: { latency: 5 } });
    await client.bytes(6);
    await bench.updateToxic('slow', { attributes: { latency: 600_000 } });
    client.socket.write('second');
    await until('the reply is held', async () => (await bench.traffic('received', 'downstream')) === 12);
    assert.equal(client.receivedBytes, 6);
    await bench.removeToxic('slow');
    await client.bytes(12);
    assert.equal(client.data.toString(), 'xfirstsecond');
  });

  test('toxicity 0 leaves every connection alone', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'timeout', toxicity: 0, attributes: { timeout: 0 } });
    await bench.addToxic({ type: 'reset_peer', name: 'r', toxicity: 0, attributes: { timeout: 0 } });
    const client = await bench.connect();
    await pingUs(client);
    client.socket.end();
    await client.close();
    assert.equal(client.errorCode, null);
  });

  test('the die is drawn per connection, and the same seed draws the same', async () => {
    const outcomes = async (seed: number): Promise<string> => {
      const bench = await startBench(echo, { seed });
      await bench.addToxic({ type: 'limit_data', toxicity: 0.5, attributes: { bytes: 0 } });
      let pattern = '';
      for (let i = 0; i < 24; i++) {
        const client = await bench.connect();
        client.socket.write('x');
        await client.bytesOrEnd(1);
        pattern += client.receivedBytes === 1 ? '.' : 'X';
        client.socket.destroy();
      }
      return pattern;
    };
    const first = await outcomes(7);
    assert.match(first, /X/);
    assert.match(first, /\./);
    assert.equal(await outcomes(7), first);
    assert.notEqual(await outcomes(8), first);
  });

  test('the die is rolled again on an update', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'timeout', name: 't', toxicity: 1, attributes: { timeout: 0 } });
    const client = await bench.connect();
    client.socket.write('lost');
    await until('the reply is dropped', async () => (await bench.traffic('received', 'downstream')) === 4);
    await bench.updateToxic('t', { toxicity: 0 });
    client.socket.write('kept');
    await client.bytes(4);
    assert.equal(client.data.toString(), 'kept');
  });
});

describe('bandwidth', () => {
  test('is no faster than its rate, and slices', async () => {
    const bench = await startBench((socket) => socket.write(Buffer.alloc(60_000)));
    await bench.addToxic({ type: 'bandwidth', attributes: { rate: 200 } });
    const startUs = monotonicUs();
    const client = await bench.connect();
    await client.bytes(60_000);
    const tookUs = monotonicUs() - startUs;
    assert.ok(tookUs >= 300_000 && tookUs < 1_500_000, `${tookUs} µs`);
    assert.ok(client.chunks.length >= 3);
  });

  test('rate 0 stalls until it is changed or removed, and pauses the sender', async () => {
    const totalBytes = 24 * 1024 * 1024;
    const bench = await startBench((socket) => socket.write(Buffer.alloc(totalBytes, 7)));
    await bench.addToxic({ type: 'bandwidth', name: 'b', attributes: { rate: 0 } });
    const client = await bench.connect();
    await until('data has arrived', async () => (await bench.traffic('received', 'downstream')) > 0);
    let receivedBytes = -1;
    await until('the sender is paused', async () => {
      const before = receivedBytes;
      receivedBytes = await bench.traffic('received', 'downstream');
      await sleepUs(20_000);
      return receivedBytes === before;
    });
    assert.ok(receivedBytes <= 256 * 1024, `${receivedBytes} bytes were read in spite of the stall`);
    assert.equal(client.receivedBytes, 0);
    await bench.updateToxic('b', { attributes: { rate: 1_000_000 } });
    await client.bytes(1);
    await bench.removeToxic('b');
    await client.bytes(totalBytes);
    assert.equal(client.receivedBytes, totalBytes);
  });
});

describe('timeout', () => {
  test('drops data; 0 never closes; removing it closes the connection', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'timeout', name: 't', attributes: { timeout: 0 } });
    const client = await bench.connect();
    client.socket.write('lost');
    await until('the reply is dropped', async () => (await bench.traffic('received', 'downstream')) === 4);
    assert.equal(client.closed, false);
    await bench.removeToxic('t');
    await client.end();
    assert.equal(client.receivedBytes, 0);
    assert.equal((await bench.upstream.connection(0)).errorCode, null);
    await (await bench.upstream.connection(0)).end();
    client.socket.destroy();
  });

  test('closes after silence, and every chunk starts it anew', async () => {
    const bench = await startBench();
    await bench.addToxic({ type: 'timeout', stream: 'upstream', attributes: { timeout: 150 } });
    const client = await bench.connect();
    let lastSentUs = 0;
    for (let i = 0; i < 5; i++) {
      await sleepUs(60_000);
      lastSentUs = monotonicUs();
      client.socket.write('x');
    }
    await client.end();
    assert.ok(monotonicUs() - lastSentUs >= 150_000);
    assert.equal((await bench.upstream.connection(0)).receivedBytes, 0);
    client.socket.destroy();
  });

  test('starts at once on a live connection', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    await pingUs(client);
    const startUs = monotonicUs();
    await bench.addToxic({ type: 'timeout', attributes: { timeout: 50 } });
    await client.end();
    assert.ok(monotonicUs() - startUs >= 50_000);
    client.socket.destroy();
  });
});

describe('reset_peer', () => {
  test('resets both sides after the first chunk', async () => {
    const bench = await startBench();
    await bench.addToxic({ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 40 } });
    const client = await bench.connect();
    const upstream = await bench.upstream.connection(0);
    const startUs = monotonicUs();
    client.socket.write('x');
    await client.close();
    await upstream.close();
    assert.ok(monotonicUs() - startUs >= 40_000);
    assert.deepEqual([client.errorCode, upstream.errorCode], ['ECONNRESET', 'ECONNRESET']);
    assert.equal(upstream.receivedBytes, 0);
  });

  test('is armed by the end of the stream too', async () => {
    const bench = await startBench((socket) => socket.end());
    await bench.addToxic({ type: 'reset_peer', attributes: { timeout: 0 } });
    const client = await bench.connect();
    await client.close();
    assert.equal(client.errorCode, 'ECONNRESET');
  });

  test('closes without a reset on a connection that was open before', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    await pingUs(client);
    await bench.addToxic({ type: 'reset_peer', attributes: { timeout: 0 } });
    client.socket.write('x');
    await client.end();
    assert.deepEqual([client.errorCode, client.receivedBytes], [null, 1]);
    client.socket.destroy();
  });

  test('removed before it was due, it leaves a whole stream, and the request does not hang', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'reset_peer', name: 'r', attributes: { timeout: 600_000 } });
    const client = await bench.connect();
    client.socket.write('whole');
    await until('the reply is held', async () => (await bench.traffic('received', 'downstream')) === 5);
    await bench.removeToxic('r');
    await client.bytes(5);
    assert.ok((await pingUs(client)) < 1_000_000);
  });
});

describe('slow_close', () => {
  test('delays the close, not the data', async () => {
    const bench = await startBench((socket) => socket.end('bye'));
    await bench.addToxic({ type: 'slow_close', attributes: { delay: 80 } });
    const startUs = monotonicUs();
    const client = await bench.connect();
    await client.bytes(3);
    assert.equal(client.ended, false);
    await client.end();
    assert.ok(monotonicUs() - startUs >= 80_000);
    client.socket.destroy();
  });

  test('closes at once when it is removed', async () => {
    const bench = await startBench((socket) => socket.end('bye'));
    await bench.addToxic({ type: 'slow_close', name: 's', attributes: { delay: 600_000 } });
    const client = await bench.connect();
    await client.bytes(3);
    await bench.removeToxic('s');
    await client.end();
    client.socket.destroy();
  });
});

describe('limit_data', () => {
  test('closes both sides at the limit, to the byte', async () => {
    const bench = await startBench((socket) => socket.write(Buffer.alloc(100_000, 1)));
    await bench.addToxic({ type: 'limit_data', attributes: { bytes: 70_001 } });
    const client = await bench.connect();
    await client.end();
    assert.equal(client.receivedBytes, 70_001);
    await (await bench.upstream.connection(0)).end();
    client.socket.destroy();
  });

  test('counts from when it was added, and a raised limit goes on', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    await pingUs(client);
    await bench.addToxic({ type: 'limit_data', name: 'l', attributes: { bytes: 5 } });
    client.socket.write('1234');
    await client.bytes(5);
    await bench.updateToxic('l', { attributes: { bytes: 6 } });
    client.socket.write('5678');
    await client.end();
    assert.equal(client.data.toString(), 'x123456');
    client.socket.destroy();
  });
});

describe('slicer', () => {
  test('cuts chunks apart and keeps every byte', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'slicer', attributes: { average_size: 100, size_variation: 20, delay: 3_000 } });
    const client = await bench.connect();
    const sent = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251));
    const startUs = monotonicUs();
    client.socket.write(sent);
    await client.bytes(sent.length);
    assert.ok(monotonicUs() - startUs >= 7 * 3_000);
    assert.deepEqual(client.data, sent);
    // A reader that gets no core for a while reads several as one.
    assert.ok(client.chunks.length >= 2, `${client.chunks.length} chunks`);
  });

  test('what is not sent yet passes on removal', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'slicer', name: 's', attributes: { average_size: 10, size_variation: 0, delay: 600_000_000 } });
    const client = await bench.connect();
    client.socket.write('a'.repeat(100));
    await client.bytes(1);
    assert.ok(client.receivedBytes < 100);
    await bench.removeToxic('s');
    await client.bytes(100);
  });
});

describe('packet_loss', () => {
  test('1 drops everything, 0 nothing, and the connection still closes', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'packet_loss', name: 'p', attributes: { loss_rate: 1 } });
    const client = await bench.connect();
    client.socket.write('lost');
    await until('the reply is dropped', async () => (await bench.traffic('received', 'downstream')) === 4);
    await bench.updateToxic('p', { attributes: { loss_rate: 0 } });
    client.socket.write('kept');
    await client.bytes(4);
    client.socket.end();
    await client.end();
    assert.equal(client.data.toString(), 'kept');
  });
});
