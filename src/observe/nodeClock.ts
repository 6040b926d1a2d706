/**
 * Asks one server for its wall clock (TIME). Ticked by `observer.ts` beside the lag probe, on a connection of its own. What it tells is
 * right to half the round trip; it never throws and a server that does not answer has no reading for that time.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { SideConnection } from './sideConnection.js';

/** Between two readings of a node. */
export const CLOCK_INTERVAL_US = 5_000_000;
/** Asked at once after each other, for the one with the shortest round trip. */
const READINGS = 5;

export interface ClockReading {
  /** Its wall clock less machine monotonic µs. */
  offsetUs: number;
  /** Half the round trip. */
  uncertaintyUs: number;
}

export class NodeClock {
  readonly #connection: SideConnection;
  readonly #emit: (reading: ClockReading) => void;

  constructor(connect: () => Redis, emit: (reading: ClockReading) => void) {
    this.#connection = new SideConnection(connect);
    this.#emit = emit;
  }

  /** Reads it, unless the last reading is still out. */
  tick(): void {
    if (!this.#connection.isBusy) void this.#read();
  }

  stop(): void {
    this.#connection.close();
  }

  async #read(): Promise<void> {
    let best: ClockReading | null = null;
    try {
      for (let i = 0; i < READINGS; i++) {
        const reading = await this.#connection.ask(timeOf);
        if (best === null || reading.uncertaintyUs < best.uncertaintyUs) best = reading;
      }
    } catch {
      // What was read before it fell silent is good.
    }
    if (best !== null) this.#emit(best);
  }
}

async function timeOf(redis: Redis): Promise<ClockReading> {
  const sentUs = monotonicUs();
  const [seconds, microseconds] = await redis.time();
  const doneUs = monotonicUs();
  const middleUs = Math.floor((sentUs + doneUs) / 2);
  return { offsetUs: Number(seconds) * 1_000_000 + Number(microseconds) - middleUs, uncertaintyUs: Math.ceil((doneUs - sentUs) / 2) };
}
