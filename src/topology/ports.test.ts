import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, test } from 'node:test';
import { labPortRange, PortPicker } from './ports.js';

const BLOCK_PORTS = 64;
const blockOf = (port: number): number => Math.floor((port - labPortRange().lowest) / BLOCK_PORTS);

function picker(): PortPicker {
  const made = new PortPicker();
  after(() => made.release());
  return made;
}

const taken = (pick: () => Promise<unknown>, count: number): Promise<unknown[]> => Promise.all(Array.from({ length: count }, pick));

test('what one picker was given, used or not, no other gets until it is released', async () => {
  const [one, two] = [picker(), picker()];
  const ofOne = (await taken(() => one.next(), 150)) as number[];
  const ofTwo = (await taken(() => two.next(), 150)) as number[];
  assert.equal(new Set([...ofOne, ...ofTwo]).size, 300);
  const blocks = new Set(ofOne.map(blockOf));
  assert.ok(blocks.size >= 3);
  assert.deepEqual(
    ofTwo.filter((port) => blocks.has(blockOf(port))),
    [],
    'a port of a server that was killed is free, and still not given away',
  );
});

test('a client port and its bus port: both in blocks of its own', async () => {
  const [one, two] = [picker(), picker()];
  const distance = 10_000;
  const pairs = (await taken(() => one.nextPair(distance), 70)) as { port: number; busPort: number }[];
  assert.ok(pairs.every(({ port, busPort }) => busPort === port + distance && busPort <= labPortRange().highest));
  const own = new Set(pairs.flatMap(({ port, busPort }) => [port, busPort]));
  assert.equal(own.size, 140);
  const blocks = new Set([...own].map(blockOf));
  const others = (await taken(() => two.next(), 200)) as number[];
  assert.deepEqual(
    others.filter((port) => blocks.has(blockOf(port))),
    [],
  );
});

test('a port that a stranger listens on is passed over', async () => {
  const one = picker();
  const first = await one.next();
  const stranger = await new Promise<Server>((resolve) => {
    const server = createServer().listen({ host: '127.0.0.1', port: first + 1, exclusive: true }, () => resolve(server));
  });
  try {
    assert.ok((await one.next()) > first + 1);
  } finally {
    stranger.close();
  }
});
