/** Joined connections: no byte lost or out of order whatever changes, memory bounded, and every way to end passed on at once. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { sleepUs } from '../../base/clock.js';
import { RandomStream } from '../../base/random.js';
import { Bench, echo, type ToxicBody, until } from './sockets.test.support.js';

const benches: Bench[] = [];

async function startBench(onConnection?: (socket: Socket) => void): Promise<Bench> {
  const bench = await Bench.start(onConnection);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

/** Byte i of a stream: any loss, repetition or change of order shows. */
function patternByte(index: number): number {
  return (index * 31 + (index >>> 8) * 17 + (index >>> 16)) & 0xff;
}

function pattern(startByte: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = patternByte(startByte + i);
  return bytes;
}

describe('without toxics', () => {
  test('large streams pass both ways, complete and in order', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    const sent = pattern(0, 12_000_000);
    client.socket.end(sent);
    await client.end();
    assert.ok(client.data.equals(sent));
  });

  test('a reader that does not read pauses the sender, and gets all once it reads', async () => {
    const sent = Buffer.alloc(64 * 1024 * 1024);
    // Numbers throughout: a buffer that was read into again while it waited to be written would show.
    for (let at = 0; at < sent.length; at += 256) sent.writeUInt32LE(at, at);
    const bench = await startBench((socket) => socket.write(sent));
    const client = await bench.connect();
    client.socket.pause();
    let receivedBytes = -1;
    await until('the sender is paused', async () => {
      const before = receivedBytes;
      receivedBytes = await bench.traffic('received', 'downstream');
      await sleepUs(50_000);
      return receivedBytes > 0 && receivedBytes === before;
    });
    const sentBytes = await bench.traffic('sent', 'downstream');
    assert.ok(receivedBytes < 32 * 1024 * 1024, `${receivedBytes} bytes read`);
    assert.ok(receivedBytes - sentBytes <= 1024 * 1024);
    client.socket.resume();
    await client.bytes(sent.length);
    assert.ok(client.data.equals(sent));
  });
});

describe('toxics that come, change and go while data flows', () => {
  const kinds: ToxicBody[] = [
    { type: 'latency', attributes: { latency: 8, jitter: 8 } },
    { type: 'bandwidth', attributes: { rate: 20_000 } },
    { type: 'slicer', attributes: { average_size: 3_000, size_variation: 1_000, delay: 50 } },
    { type: 'slow_close', attributes: { delay: 10 } },
    { type: 'noop' },
    { type: 'reset_peer', attributes: { timeout: 600_000 } },
  ];

  for (const seed of [1, 2, 3, 4]) {
    test(`lose no byte (seed ${seed})`, async () => {
      const bench = await startBench(echo);
      const random = new RandomStream(seed, 1_000);
      let drawIndex = 0;
      const below = (bound: number): number => random.below(drawIndex++, bound);
      const client = await bench.connect();
      let sentBytes = 0;
      const send = async (): Promise<void> => {
        for (let i = 0; i < 250; i++) {
          const lengthBytes = 1 + below(6_000);
          client.socket.write(pattern(sentBytes, lengthBytes));
          sentBytes += lengthBytes;
          if (below(4) === 0) await sleepUs(1_000);
        }
      };
      const change = async (): Promise<void> => {
        const names: string[] = [];
        for (let i = 0; i < 40; i++) {
          const action = below(3);
          const name = names[below(Math.max(1, names.length))];
          if (action === 0 || name === undefined) {
            const kind = kinds[below(kinds.length)] as ToxicBody;
            const stream = below(2) === 0 ? 'upstream' : 'downstream';
            await bench.addToxic({ ...kind, name: `t${i}`, stream, toxicity: below(2) === 0 ? 1 : 0.5 });
            names.push(`t${i}`);
          } else if (action === 1) await bench.updateToxic(name, { toxicity: below(3) / 2 });
          else {
            names.splice(names.indexOf(name), 1);
            await bench.removeToxic(name);
          }
        }
        for (const name of names) await bench.removeToxic(name);
      };
      await Promise.all([send(), change()]);
      await client.bytes(sentBytes);
      assert.ok(client.data.equals(pattern(0, sentBytes)));
      const later = await bench.connect();
      later.socket.write('still here');
      await later.bytes(10);
    });
  }
});

describe('endings', () => {
  test('a half-close is passed on, and the reply still comes', async () => {
    const bench = await startBench((socket) => {
      let question = '';
      socket.on('data', (chunk) => {
        question += chunk.toString();
      });
      socket.on('end', () => socket.end(`answer to ${question}`));
    });
    const client = await bench.connect();
    client.socket.end('question');
    await client.close();
    assert.equal(client.data.toString(), 'answer to question');
    assert.equal(client.errorCode, null);
  });

  test('a close of the upstream reaches the client without its doing', async () => {
    const bench = await startBench(echo);
    const client = await bench.connect();
    (await bench.upstream.connection(0)).socket.destroy();
    await client.end();
    assert.equal(client.errorCode, null);
    client.socket.destroy();
  });

  test('a reset of the upstream is a reset for the client, and the other way round', async () => {
    const bench = await startBench();
    const client = await bench.connect();
    (await bench.upstream.connection(0)).socket.resetAndDestroy();
    await client.close();
    assert.equal(client.errorCode, 'ECONNRESET');
    const second = await bench.connect();
    const upstream = await bench.upstream.connection(1);
    second.socket.resetAndDestroy();
    await upstream.close();
    assert.equal(upstream.errorCode, 'ECONNRESET');
  });

  test('a close of the client closes the upstream, with a toxic that drops everything in the way back', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'timeout', attributes: { timeout: 0 } });
    const client = await bench.connect();
    client.socket.write('x');
    const upstream = await bench.upstream.connection(0);
    await upstream.bytes(1);
    client.socket.destroy();
    await upstream.close();
  });

  test('a timeout that is removed stays closed behind a slow_close', async () => {
    const bench = await startBench(echo);
    await bench.addToxic({ type: 'timeout', name: 't', attributes: { timeout: 0 } });
    await bench.addToxic({ type: 'slow_close', name: 's', attributes: { delay: 600_000 } });
    const client = await bench.connect();
    client.socket.write('lost');
    await until('the reply is dropped', async () => (await bench.traffic('received', 'downstream')) === 4);
    await bench.removeToxic('t');
    client.socket.write('late');
    await until('the second reply has arrived', async () => (await bench.traffic('received', 'downstream')) === 8);
    await bench.removeToxic('s');
    await client.end();
    assert.equal(client.receivedBytes, 0);
    client.socket.destroy();
  });

  test('data sent while the upstream is being dialled is not lost', async () => {
    const bench = await startBench(echo);
    const clients = await Promise.all(Array.from({ length: 30 }, () => bench.connect()));
    for (const client of clients) client.socket.end('early');
    await Promise.all(clients.map((client) => client.close()));
    for (const client of clients) assert.equal(client.data.toString(), 'early');
  });
});
