/**
 * Picks free ports of a loopback address for lab servers, the link mesh and proxies. Used by lab.ts, chaos/mesh and chaos/proxies.ts. Never from the
 * ephemeral range: an outgoing connection of anybody can take such a port between the check and the server's start. And from blocks that no other
 * kvbench on this machine uses meanwhile, for the port of a server that was killed or of a proxy that refuses is free and still needed: whoever
 * listens on the first port of a block has the block, and the system takes it back when the process ends. Other programs do not know of that:
 * a start can clash, and is then tried with other ports.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { RandomStream } from '../base/random.js';

const LOWEST_PORT = 10_000;
/** The usual start of Linux's ephemeral range. */
const HIGHEST_PORT = 32_767;
const BLOCK_PORTS = 64;
const BLOCK_TRIES = 1000;
/** A sub-stream of our own; see base/random.ts. */
const PORT_STREAM = 1100;

/** Inclusive; free of the ephemeral range where that leaves at least 2,000 ports. */
export function labPortRange(): { lowest: number; highest: number } {
  const ephemeral = ephemeralPortRange();
  const highest = ephemeral === null ? HIGHEST_PORT : Math.min(HIGHEST_PORT, ephemeral.lowest - 1);
  return { lowest: LOWEST_PORT, highest: highest - LOWEST_PORT < 2000 ? HIGHEST_PORT : highest };
}

/** Linux only, else null. */
export function ephemeralPortRange(): { lowest: number; highest: number } | null {
  try {
    const [lowest, highest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
    return lowest === undefined || highest === undefined ? null : { lowest, highest };
  } catch {
    return null;
  }
}

/** Hands out ports of blocks that it holds until `release`. One call at a time is served, in order. */
export class PortPicker {
  // Not the plan's seed: two runs of one profile at once would pick the same ports.
  readonly #random = new RandomStream(process.pid * 0x10_0000 + (monotonicUs() % 0x10_0000), PORT_STREAM);
  readonly #range = labPortRange();
  readonly #guards: Server[] = [];
  #draw = 0;
  #single: number[] = [];
  #pairs: number[] = [];
  #pairDistance = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** A port that is free at this moment and was not given before by this picker. Throws LAB_FAILED. */
  next(host = '127.0.0.1'): Promise<number> {
    return this.#inTurn(async () => {
      for (;;) {
        if (this.#single.length === 0) this.#single = await this.#takeBlock(0);
        const port = this.#single.shift() as number;
        if (await canListen(port, host)) return port;
      }
    });
  }

  /** A client port and a bus port `distance` above it, both free; throws LAB_FAILED. */
  nextPair(distance: number): Promise<{ port: number; busPort: number }> {
    return this.#inTurn(async () => {
      for (;;) {
        if (this.#pairs.length === 0 || this.#pairDistance !== distance) this.#pairs = await this.#takeBlock(distance);
        this.#pairDistance = distance;
        const port = this.#pairs.shift() as number;
        if ((await canListen(port)) && (await canListen(port + distance))) return { port, busPort: port + distance };
      }
    });
  }

  /** Others may have the ports now. */
  release(): void {
    for (const guard of this.#guards.splice(0)) guard.close();
    this.#single = [];
    this.#pairs = [];
  }

  /** The ports of a block that nobody held; with a distance those of which the port that much higher is ours too. */
  async #takeBlock(distance: number): Promise<number[]> {
    const { lowest, highest } = this.#range;
    const count = Math.floor((highest - distance - lowest + 1) / BLOCK_PORTS);
    for (let tries = 0; tries < BLOCK_TRIES; tries++) {
      const first = lowest + this.#random.below(this.#draw++, count) * BLOCK_PORTS;
      const guards = distance === 0 ? [first] : [first, ...guardsOf(first + distance + 1, first + distance + BLOCK_PORTS - 1, lowest)];
      if (!(await this.#hold(guards))) continue;
      const ports = Array.from({ length: BLOCK_PORTS - 1 }, (_, i) => first + 1 + i);
      return ports.filter((port) => !guards.includes(port + distance));
    }
    throw new KvbenchError(
      'LAB_FAILED',
      `no free block of ${BLOCK_PORTS} ports between ${lowest} and ${highest} after ${BLOCK_TRIES} tries`,
      'Other runs of kvbench may hold them all; run `kvbench doctor`.',
    );
  }

  /** All of them or none. */
  async #hold(ports: readonly number[]): Promise<boolean> {
    const held: Server[] = [];
    for (const port of ports) {
      const guard = await listenOn(port, '127.0.0.1');
      if (guard === null) {
        for (const other of held) other.close();
        return false;
      }
      held.push(guard);
    }
    this.#guards.push(...held);
    return true;
  }

  #inTurn<T>(pick: () => Promise<T>): Promise<T> {
    const result = this.#last.then(pick);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** The first ports of the blocks that these ports lie in. */
function guardsOf(from: number, to: number, lowest: number): number[] {
  const blockOf = (port: number): number => Math.floor((port - lowest) / BLOCK_PORTS);
  const [first, last] = [blockOf(from), blockOf(to)];
  return Array.from({ length: last - first + 1 }, (_, i) => lowest + (first + i) * BLOCK_PORTS);
}

/** Null: it is taken. What calls there is turned away. */
function listenOn(port: number, host: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

/** Whether a server could listen on this port now. */
export function canListen(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
