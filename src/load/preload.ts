/**
 * Writes every ordinary key of the workload once before t0, through the client that the load will use. Made by worker.ts; what could
 * not be written is tried again a few times and then told.
 */
import { monotonicUs, sleepUs } from '../base/clock.js';
import { type Reason, reasons } from '../result/records.js';
import { NO_VERSION } from '../workload/valueStamp.js';
import type { ValueSizer } from '../workload/values.js';
import { type Client, OutcomeIndex } from './client.js';
import type { Ledger } from './ledger.js';
import { SET } from './share.js';

/** How often a key is tried. */
const MAX_ROUNDS = 5;
/** The pause before round r is (r − 1) times this. */
const ROUND_PAUSE_US = 200_000;
const MAX_WINDOW = 512;
/** Of values under way: with values of megabytes, fewer than a window. */
const MAX_WINDOW_BYTES = 16_000_000;
const PROGRESS_EVERY_US = 200_000;
/** When no answer came for this long, the rest is given up. */
const STALL_US = 10_000_000;
const STALL_CHECK_MS = 250;

export interface PreloadResult {
  done: number;
  failed: number;
  /** Why the last one failed; empty when none did. */
  lastReason: Reason | '';
}

/** Loads the keys with keyIndex mod `writers` = `worker`. */
export class Preloader {
  #keys: Uint32Array;
  readonly #total: number;
  readonly #window: number;
  #next = 0;
  #settled = 0;
  #failed: number[] = [];
  #written = 0;
  #lastReason: Reason | '' = '';
  #lastAnswerUs = 0;
  #toldUs = 0;
  #roundEnded: () => void = () => {};
  #pumpIsDue = false;
  /** Tokens carry the round, so that an answer of an abandoned round is nobody's. */
  #round = 0;

  constructor(
    readonly client: Pick<Client, 'send' | 'flush'>,
    readonly sizer: ValueSizer,
    keys: { count: number; worker: number; writers: number },
    readonly onProgress: (done: number, total: number) => void,
    readonly ledger: Pick<Ledger, 'preloadVersionOf'> | null = null,
  ) {
    const own = keys.worker < keys.writers ? Math.ceil((keys.count - keys.worker) / keys.writers) : 0;
    this.#keys = Uint32Array.from({ length: own }, (_, i) => i * keys.writers + keys.worker);
    this.#total = own;
    this.#window = Math.max(1, Math.min(MAX_WINDOW, Math.floor(MAX_WINDOW_BYTES / sizer.maxBytes)));
  }

  async run(): Promise<PreloadResult> {
    for (let round = 1; round <= MAX_ROUNDS && this.#keys.length > 0; round++) {
      await sleepUs((round - 1) * ROUND_PAUSE_US);
      await this.#runRound(round);
      this.#keys = Uint32Array.from(this.#failed);
    }
    this.onProgress(this.#written, this.#total);
    return { done: this.#written, failed: this.#keys.length, lastReason: this.#keys.length > 0 ? this.#lastReason : '' };
  }

  /** The client's `Completion`. */
  completed(token: number, outcome: OutcomeIndex, reason: number): void {
    if (Math.floor(token / 2 ** 32) !== this.#round) return;
    this.#lastAnswerUs = monotonicUs();
    this.#settled++;
    if (outcome === OutcomeIndex.ok) this.#written++;
    else {
      this.#failed.push(token % 2 ** 32);
      this.#lastReason = reasons[reason] ?? 'other';
    }
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    queueMicrotask(() => this.#pump());
  }

  async #runRound(round: number): Promise<void> {
    this.#round = round;
    this.#next = 0;
    this.#settled = 0;
    this.#failed = [];
    this.#lastAnswerUs = monotonicUs();
    const ended = new Promise<void>((resolve) => {
      this.#roundEnded = resolve;
    });
    const stallCheck = setInterval(() => this.#giveUpIfStalled(), STALL_CHECK_MS);
    this.#pump();
    await ended;
    clearInterval(stallCheck);
  }

  #pump(): void {
    this.#pumpIsDue = false;
    while (this.#next < this.#keys.length && this.#next - this.#settled < this.#window) {
      const keyIndex = this.#keys[this.#next++] as number;
      const valueBytes = this.sizer.valueBytesOf(keyIndex);
      const version = this.ledger === null ? NO_VERSION : this.ledger.preloadVersionOf(keyIndex, valueBytes);
      this.client.send(this.#round * 2 ** 32 + keyIndex, SET, keyIndex, valueBytes, version);
    }
    this.client.flush();
    const nowUs = monotonicUs();
    if (nowUs - this.#toldUs >= PROGRESS_EVERY_US) {
      this.#toldUs = nowUs;
      this.onProgress(this.#written, this.#total);
    }
    if (this.#settled === this.#keys.length) this.#roundEnded();
  }

  #giveUpIfStalled(): void {
    if (monotonicUs() - this.#lastAnswerUs < STALL_US) return;
    // What was answered is not told apart from what was not: all of the round is written again.
    this.#written -= this.#settled - this.#failed.length;
    this.#failed = [...this.#keys];
    this.#lastReason = 'timeout';
    this.#round = 0;
    this.#roundEnded();
  }
}
