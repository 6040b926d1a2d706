/**
 * Finds when one replica shows the markers of its master. Made by lagProbe.ts, which tells it of each marker and takes what it found.
 * At most one read is out, and none while nothing is awaited; the longer a marker is awaited the rarer the reads: their distance stays
 * below a fiftieth of the lag, or a millisecond.
 */
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { LagMarker } from '../result/records.js';
import type { LagReport } from './lagProbe.js';
import type { SideConnection } from './sideConnection.js';

const POLL_SHARE = 1 / 50;
const POLL_MIN_US = 1000;
const POLL_MAX_US = 100_000;
/** An hour of markers at the default pace; older ones are given up as unseen. */
const AWAITED_MAX = 36_000;

/** A marker that its master has acknowledged. */
export interface Marked {
  number: number;
  key: string;
  /** Machine monotonic µs. */
  ackUs: number;
  /** From asking the master to its answer. */
  writeUs: number;
}

export class ReplicaWatch {
  readonly #connection: SideConnection;
  readonly #isCluster: boolean;
  readonly #onRefusal: (reason: string) => void;
  #master: string | null = null;
  #shard: number | null = null;
  /** In the order of their numbers. */
  #awaited: Marked[] = [];
  #seen: LagMarker[] = [];
  #written = 0;
  #unseen = 0;
  /** When the last read was sent that showed nothing new. */
  #blindUs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(connection: SideConnection, isCluster: boolean, onRefusal: (reason: string) => void) {
    this.#connection = connection;
    this.#isCluster = isCluster;
    this.#onRefusal = onRefusal;
  }

  /** Whose markers it awaits; null: it follows nobody that answers. */
  get master(): string | null {
    return this.#master;
  }

  /** What another master wrote may never get here, and is not awaited any more. */
  follow(master: string | null, shard: number | null): void {
    this.#shard = shard;
    if (master === this.#master) return;
    this.#master = master;
    this.#giveUp();
  }

  await(marked: Marked): void {
    if (this.#isStopped) return;
    // The master's slots have changed, and its key with them.
    if (this.#awaited[0] !== undefined && this.#awaited[0].key !== marked.key) this.#giveUp();
    this.#written++;
    if (this.#awaited.length >= AWAITED_MAX) {
      this.#awaited.shift();
      this.#unseen++;
    }
    this.#awaited.push(marked);
    if (this.#awaited.length === 1) void this.#read();
  }

  /** What came of the markers since the last time; null when it is no replica and nothing came. */
  take(atUs: number): Omit<LagReport, 'atUs' | 'node'> | null {
    const oldest = this.#awaited[0];
    if (this.#master === null && this.#written === 0 && this.#unseen === 0 && this.#seen.length === 0) return null;
    const taken = {
      shard: this.#shard,
      master: this.#master,
      written: this.#written,
      unseen: this.#unseen,
      markers: this.#seen,
      waitingUs: oldest === undefined ? null : atUs - oldest.ackUs,
    };
    this.#seen = [];
    this.#written = 0;
    this.#unseen = 0;
    return taken;
  }

  /** What is still awaited is unseen. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#giveUp();
    this.#connection.close();
  }

  async #read(): Promise<void> {
    const wanted = this.#awaited[0];
    if (this.#isReading || this.#isStopped || wanted === undefined) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isReading = true;
    let sentUs = monotonicUs();
    try {
      const value = await this.#connection.ask(
        (redis) => {
          sentUs = monotonicUs();
          return redis.get(wanted.key);
        },
        (redis) => (this.#isCluster ? redis.readonly() : Promise.resolve()),
      );
      this.#shows(value === null ? 0 : Number(value), sentUs, monotonicUs());
    } catch (error) {
      // Refused (loading, cluster down, moved): a client sees nothing either. No connection: nothing is known.
      if (error instanceof Error && error.name === 'ReplyError') {
        this.#blindUs = sentUs;
        if (error.message.startsWith('NOPERM')) this.#onRefusal(messageOf(error));
      } else this.#giveUp();
    }
    this.#isReading = false;
    this.#readAgain();
  }

  #shows(number: number, sentUs: number, doneUs: number): void {
    for (let next = this.#awaited[0]; next !== undefined && next.number <= number; next = this.#awaited[0]) {
      this.#awaited.shift();
      this.#seen.push([next.ackUs, doneUs - next.ackUs, next.writeUs + doneUs - Math.max(next.ackUs, this.#blindUs)]);
    }
    // What is newer was not there yet.
    this.#blindUs = sentUs;
  }

  #readAgain(): void {
    const oldest = this.#awaited[0];
    if (this.#isStopped || oldest === undefined) return;
    const ageUs = monotonicUs() - oldest.ackUs;
    const waitUs = Math.min(Math.max(ageUs * POLL_SHARE, POLL_MIN_US), POLL_MAX_US);
    this.#timer = setTimeout(() => void this.#read(), waitUs / 1000);
  }

  #giveUp(): void {
    this.#unseen += this.#awaited.length;
    this.#awaited = [];
    this.#blindUs = Number.NEGATIVE_INFINITY;
  }
}
