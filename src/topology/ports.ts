/**
 * Picks free ports of a loopback address for lab servers and the link mesh. Used by lab.ts and chaos/mesh. Never from the ephemeral range: an outgoing connection of anybody
 * can take such a port between the check and the server's start. Even so a start can clash, and is then tried with other ports.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { RandomStream } from '../base/random.js';

const LOWEST_PORT = 10_000;
/** The usual start of Linux's ephemeral range. */
const HIGHEST_PORT = 32_767;
const CANDIDATE_LIMIT = 2000;
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

export class PortPicker {
  // Not the plan's seed: two runs of one profile at once would pick the same ports.
  readonly #random = new RandomStream(process.pid * 0x10_0000 + (monotonicUs() % 0x10_0000), PORT_STREAM);
  readonly #given = new Set<number>();
  #draw = 0;

  /** A port that is free at this moment and was not given before by this picker. Throws LAB_FAILED. */
  async next(host = '127.0.0.1'): Promise<number> {
    const { lowest, highest } = labPortRange();
    return this.#find(host, lowest, highest, (port) => [port]);
  }

  /** A client port and a bus port `distance` above it, both free; throws LAB_FAILED. */
  async nextPair(distance: number): Promise<{ port: number; busPort: number }> {
    const { lowest, highest } = labPortRange();
    const port = await this.#find('127.0.0.1', lowest, highest - distance, (first) => [first, first + distance]);
    return { port, busPort: port + distance };
  }

  async #find(host: string, lowest: number, highest: number, portsFor: (port: number) => number[]): Promise<number> {
    for (let i = 0; i < CANDIDATE_LIMIT; i++) {
      const port = lowest + this.#random.below(this.#draw++, highest - lowest + 1);
      const wanted = portsFor(port);
      if (wanted.some((each) => this.#given.has(each))) continue;
      for (const each of wanted) this.#given.add(each);
      if ((await Promise.all(wanted.map((each) => canListen(each, host)))).every((free) => free)) return port;
    }
    throw new KvbenchError(
      'LAB_FAILED',
      `no free port between ${lowest} and ${highest} on ${host} after ${CANDIDATE_LIMIT} tries`,
      'run `kvbench doctor`',
    );
  }
}

/** Whether a server could listen on this port now. */
export function canListen(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
