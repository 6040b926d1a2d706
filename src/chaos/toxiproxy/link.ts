/**
 * One direction of one connection: from a source socket through the stages of the toxics in force to a destination socket. Made in
 * pairs by connection.ts; toxics come and go on it while data flows. It must never lose, repeat or reorder a byte on its own account.
 * HOT: without a stage a chunk is written straight on.
 */
import type { Socket } from 'node:net';
import { monotonicUs } from '../../base/clock.js';
import type { RandomStream } from '../../base/random.js';
import type { Traffic } from './metrics.js';
import type { StaticReading } from './staticReading.js';
import type { Toxic } from './toxic.js';
import type { Chunk, Ending, Receiver, Stage } from './toxics/stage.js';

/** What stages may hold together before the source is paused; some ask for more room (Stage.roomBytes). */
const HELD_LIMIT_BYTES = 64 * 1024;

const EMPTY = Buffer.alloc(0);
const discard: Receiver = { receive: () => {}, receiveEnd: () => {} };

/** A toxic's place in the chain. No stage: the die spared this connection, or there is nothing to do. */
interface Slot {
  readonly toxic: Toxic;
  readonly addedBeforeConnection: boolean;
  stage: Stage | null;
}

export interface LinkOptions {
  readonly source: Socket;
  /** What reads the source into a buffer of its own; null: it is an ordinary stream. */
  readonly reading: StaticReading | null;
  readonly destination: Socket;
  /** The toxics of this direction, in order. */
  readonly toxics: readonly Toxic[];
  readonly traffic: Traffic;
  /** The draws of this link alone: die, jitter, loss, cuts. */
  readonly random: RandomStream;
  /** The ending has come out at the destination. */
  readonly onEnded: (ending: Ending) => void;
}

export class Link implements Receiver {
  readonly #source: Socket;
  readonly #reading: StaticReading | null;
  readonly #destination: Socket;
  readonly #traffic: Traffic;
  readonly #random: RandomStream;
  readonly #onEnded: (ending: Ending) => void;
  #slots: Slot[] = [];
  /** The first stage in force; null: the fast path. */
  #first: Receiver | null = null;
  #drawIndex = 0;
  #paused = false;
  #sourceEnded = false;
  #ended = false;

  constructor(options: LinkOptions) {
    this.#source = options.source;
    this.#reading = options.reading;
    this.#destination = options.destination;
    this.#traffic = options.traffic;
    this.#random = options.random;
    this.#onEnded = options.onEnded;
    for (const toxic of options.toxics) this.#slots.push({ toxic, addedBeforeConnection: true, stage: null });
    for (const slot of this.#slots) slot.stage = this.#rolledStage(slot);
    this.#chain();
  }

  /** Begins to read. */
  start(): void {
    for (const slot of this.#slots) slot.stage?.start();
    if (this.#reading === null) this.#source.on('data', this.#onData);
    else this.#reading.onData = this.#onStaticData;
    this.#source.on('end', () => this.sourceEnded('fin'));
    this.#destination.on('drain', this.#regulate);
    this.#source.resume();
  }

  /** Whether the ending has come out at the destination. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Data or an ending is still under way in a stage. */
  get busy(): boolean {
    return !this.#ended && this.#slots.some(({ stage }) => stage !== null && (stage.holdsEnd || stage.heldBytes > 0));
  }

  /** The source has no more to say; goes through the stages like data. */
  sourceEnded(ending: Ending): void {
    if (this.#sourceEnded || this.#ended) return;
    this.#sourceEnded = true;
    (this.#first ?? this).receiveEnd(ending);
  }

  /** The destination is closed: what comes is read and dropped until the source is closed too. */
  destinationClosed(): void {
    this.#finish();
  }

  /** A toxic was added at the end of the chain; the die of the one before is rolled again. */
  addToxic(toxic: Toxic): void {
    if (this.#ended) return;
    const slot: Slot = { toxic, addedBeforeConnection: false, stage: null };
    this.#reroll(this.#slots.at(-1));
    this.#slots.push(slot);
    slot.stage = this.#rolledStage(slot);
    this.#chain();
    slot.stage?.start();
    this.#regulate();
  }

  /** A toxic's attributes or toxicity have changed; its die is rolled again. */
  updateToxic(toxic: Toxic): void {
    const slot = this.#slots.find((candidate) => candidate.toxic === toxic);
    if (this.#ended || slot === undefined) return;
    const before = slot.stage;
    this.#reroll(slot);
    if (slot.stage === before) slot.stage?.update();
    this.#regulate();
  }

  /** A toxic was removed: what it holds passes at once; the die of the one before is rolled again. */
  removeToxic(toxic: Toxic): void {
    const index = this.#slots.findIndex((candidate) => candidate.toxic === toxic);
    const slot = this.#slots[index];
    if (this.#ended || slot === undefined) return;
    slot.stage?.remove();
    if (this.#ended) return;
    // A stage that has closed the connection stays in its place until the ending is out: nothing may follow it.
    if (!slot.stage?.hasEnded) this.#slots.splice(index, 1);
    this.#chain();
    this.#reroll(this.#slots[index - 1]);
    this.#regulate();
  }

  /** Out of the chain into the destination. */
  receive(chunk: Chunk): void {
    if (this.#ended) return;
    this.#traffic.sentBytes += chunk.data.length;
    this.#destination.write(chunk.data);
  }

  receiveEnd(ending: Ending): void {
    if (this.#ended) return;
    this.#finish();
    if (ending === 'fin') this.#destination.end();
    else if (ending === 'close') this.#destination.destroySoon();
    else if (ending === 'abort') this.#destination.resetAndDestroy();
    // The data before a reset is the receiver's: RST would overtake it.
    else if (this.#destination.writableLength === 0) this.#destination.resetAndDestroy();
    else this.#destination.write(EMPTY, () => this.#destination.resetAndDestroy());
    this.#onEnded(ending);
  }

  readonly #onData = (data: Buffer): void => {
    this.#traffic.receivedBytes += data.length;
    if (this.#first === null) {
      this.#traffic.sentBytes += data.length;
      if (!this.#destination.write(data)) this.#pause();
      return;
    }
    this.#first.receive({ data, arrivedUs: monotonicUs() });
    this.#regulate();
  };

  /** The data are in the reader's own buffer: true if they are still needed when this returns. */
  readonly #onStaticData = (data: Buffer): boolean => {
    this.#onData(data);
    return this.#first !== null || this.#destination.writableLength > 0;
  };

  /** Pauses the source while stages or the destination hold too much, and lets it go on again. */
  readonly #regulate = (): void => {
    if (this.#ended) return;
    let heldBytes = 0;
    let limitBytes = HELD_LIMIT_BYTES;
    for (const { stage } of this.#slots) {
      if (stage === null) continue;
      heldBytes += stage.heldBytes;
      limitBytes += stage.roomBytes;
    }
    if (heldBytes >= limitBytes || this.#destination.writableNeedDrain) this.#pause();
    else this.#resume();
  };

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#source.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  #finish(): void {
    this.#ended = true;
    this.#first = discard;
    for (const { stage } of this.#slots) stage?.dispose();
    this.#slots = [];
    this.#resume();
  }

  /** Rolls a slot's die: a stage if the toxic is to act here and has anything to do. */
  #rolledStage(slot: Slot): Stage | null {
    if (slot.toxic.kind.makeStage === null || !this.#isHit(slot.toxic.toxicity)) return null;
    return slot.toxic.kind.makeStage({
      attributes: () => slot.toxic.attributes,
      draw: this.#draw,
      released: this.#regulate,
      addedBeforeConnection: slot.addedBeforeConnection,
    });
  }

  /** Rolls it again: the same outcome leaves the stage alone, with all it holds. */
  #reroll(slot: Slot | undefined): void {
    if (slot === undefined || slot.stage?.hasEnded) return;
    if (slot.stage === null) {
      slot.stage = this.#rolledStage(slot);
      if (slot.stage === null) return;
      this.#chain();
      slot.stage.start();
    } else if (!this.#isHit(slot.toxic.toxicity)) {
      slot.stage.release();
      slot.stage = null;
      if (!this.#ended) this.#chain();
    }
  }

  #isHit(toxicity: number): boolean {
    if (toxicity >= 1) return true;
    return toxicity > 0 && this.#draw() < toxicity;
  }

  readonly #draw = (): number => this.#random.unit(this.#drawIndex++);

  /** Connects the stages in force to each other and the last to the destination. */
  #chain(): void {
    let next: Receiver = this;
    let first: Receiver | null = null;
    for (const { stage } of this.#slots.toReversed()) {
      if (stage === null) continue;
      stage.next = next;
      next = stage;
      first = stage;
    }
    this.#first = first;
  }
}
