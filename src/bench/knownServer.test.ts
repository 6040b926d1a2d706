/** The known server keeps what it promises: its arithmetic, its protocol, and answers at their time. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { Counts } from '../stats/hdr.js';
import { type Behaviour, DueTimes, quantileUs } from './knownAnswer.js';
import { CommandReader, replyTo } from './knownReplies.js';
import { KnownServer } from './knownServer.js';

test('the percentiles of a stall are those of one in ten waiting up to a second', () => {
  const stall: Behaviour = { kind: 'stall', everyUs: 10_000_000, stallUs: 1_000_000 };
  for (const [fraction, expectedUs] of [
    [0.5, 0],
    [0.9, 0],
    [0.92, 200_000],
    [0.95, 500_000],
    [0.99, 900_000],
  ] as const) {
    assert.ok(Math.abs(quantileUs(stall, fraction) - expectedUs) < 1e-3, String(fraction));
  }
});

test('the delays of a distribution meet its percentiles, without chance', () => {
  const behaviours: Behaviour[] = [
    { kind: 'two-point', shortUs: 1000, longUs: 10_000, longShare: 0.05 },
    { kind: 'exponential', meanUs: 5000 },
  ];
  for (const behaviour of behaviours) {
    const due = new DueTimes(behaviour);
    const delays = Array.from({ length: 20_000 }, () => due.next(0)).sort((a, b) => a - b);
    for (const fraction of [0.5, 0.9, 0.99, 0.999]) {
      const observed = delays[Math.ceil(fraction * delays.length) - 1] as number;
      const expected = quantileUs(behaviour, fraction);
      assert.ok(Math.abs(observed - expected) <= expected * 0.02, `${behaviour.kind} ${fraction}: ${observed}, expected ${expected}`);
    }
  }
});

test('what arrives in a stall is due at its end, what arrives outside at once', () => {
  const due = new DueTimes({ kind: 'stall', everyUs: 1000, stallUs: 200 });
  assert.deepEqual(
    [5000, 5799, 5800, 5999, 6000].map((atUs) => due.next(atUs)),
    [5000, 5799, 6000, 6000, 6000],
  );
});

test('one server does one after the other, and is never late when it was idle', () => {
  const due = new DueTimes({ kind: 'capacity', opsPerSec: 1000 });
  assert.deepEqual(
    [0, 0, 0, 10_000].map((atUs) => due.next(atUs)),
    [1000, 2000, 3000, 11_000],
  );
});

test('commands come out whole however the bytes were cut', () => {
  const commands = [['SET', 'k', 'a\r\nb'], ['GET', ''], ['PING']];
  const bytes = commands.map((words) => `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`).join('');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
      const reader = new CommandReader();
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const read = edges.slice(1).flatMap((end, i) => reader.push(bytes.slice(edges[i], end)));
      assert.deepEqual(read, commands);
    }),
  );
  assert.throws(() => new CommandReader().push('PING\r\n'), /expected \*/);
});

test('only operations of the load have a due time', () => {
  const isOperation = (...words: string[]): boolean => replyTo(words).isOperation;
  assert.deepEqual(
    [isOperation('get', 'k'), isOperation('SET', 'k', 'v'), isOperation('INCR', 'k'), isOperation('DEL', 'k')],
    [true, true, true, true],
  );
  assert.deepEqual([isOperation('INFO'), isOperation('UNLINK', 'k'), isOperation('PING')], [false, false, false]);
});

test('a client can log in, look around and work, and every answer comes at its time', async () => {
  const server = await KnownServer.start({ kind: 'delay', delayUs: 3000 });
  const redis = new Redis(server.port, '127.0.0.1');
  try {
    assert.match(await redis.info(), /role:master/);
    const roundTripsUs: number[] = [];
    await server.reset();
    for (let i = 0; i < 100; i++) {
      const beforeUs = monotonicUs();
      assert.equal((await redis.get('k'))?.length, 64);
      roundTripsUs.push(monotonicUs() - beforeUs);
    }
    assert.ok(Math.min(...roundTripsUs) >= 3000, `no answer may be early: ${Math.min(...roundTripsUs)}`);
    const { operations, delivered, lateness } = await server.stats();
    assert.equal(operations, 100);
    const late = new Counts();
    late.add(lateness);
    // On a machine that does other things meanwhile, half of the answers are still on time.
    assert.ok((late.percentileUs(50) ?? Number.POSITIVE_INFINITY) < 500, `late by ${late.percentileUs(50)} µs`);
    const own = new Counts();
    own.add(delivered);
    assert.ok((own.percentileUs(0) ?? 0) >= 2990);
  } finally {
    redis.disconnect();
    await server.close();
  }
});

test('answers keep their order on a connection, whatever their delays', async () => {
  const server = await KnownServer.start({ kind: 'two-point', shortUs: 100, longUs: 5000, longShare: 0.5 });
  const socket = connect(server.port, '127.0.0.1');
  try {
    const pieces = Array.from({ length: 20 }, () => '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n').join('');
    socket.write(pieces);
    const expected = `$64\r\n${'v'.repeat(64)}\r\n:1\r\n`.repeat(20);
    assert.equal(await receive(socket, expected.length), expected);
  } finally {
    socket.destroy();
    await server.close();
  }
});

function receive(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const limit = setTimeout(() => reject(new Error(`only ${text.length} of ${length} bytes came`)), 5000);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (text.length < length) return;
      clearTimeout(limit);
      resolve(text);
    });
  });
}
