/**
 * The base of stages that hold chunks: a queue in order of arrival, with the ending of the stream behind it.
 * It gives everything up at once when its toxic is removed. Memory is bounded by the link, which pauses the source.
 */
import { type Chunk, type Ending, Stage } from './stage.js';

/** What a held chunk costs beside its bytes, so that a flood of tiny ones is bounded too. */
const CHUNK_OVERHEAD_BYTES = 256;

export abstract class HoldingStage<Held extends Chunk = Chunk> extends Stage {
  #queue: (Held | undefined)[] = [];
  #headIndex = 0;
  #heldBytes = 0;
  #waitingEnd: Ending | null = null;

  /** The overhead of the chunks included. */
  override get heldBytes(): number {
    return this.#heldBytes;
  }

  override get holdsEnd(): boolean {
    return this.#waitingEnd !== null;
  }

  /** An ending waits for what was received before it. */
  override receiveEnd(ending: Ending): void {
    this.holdEnd(ending);
    this.passWaitingEnd();
  }

  override release(): void {
    this.dispose();
    for (let held = this.shift(); held !== undefined; held = this.shift()) this.pass(held);
    this.passWaitingEnd();
  }

  protected get head(): Held | undefined {
    return this.#queue[this.#headIndex];
  }

  protected push(held: Held): void {
    this.#queue.push(held);
    this.#heldBytes += held.data.length + CHUNK_OVERHEAD_BYTES;
  }

  protected shift(): Held | undefined {
    const head = this.head;
    if (head === undefined) return undefined;
    this.#queue[this.#headIndex++] = undefined;
    this.#heldBytes -= head.data.length + CHUNK_OVERHEAD_BYTES;
    if (this.#headIndex === this.#queue.length) {
      this.#queue = [];
      this.#headIndex = 0;
    } else if (this.#headIndex >= 1024 && this.#headIndex * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#headIndex);
      this.#headIndex = 0;
    }
    return head;
  }

  /** Puts a rest of the head back in its place. */
  protected replaceHead(held: Held): void {
    const head = this.head;
    if (head === undefined) return;
    this.#heldBytes += held.data.length - head.data.length;
    this.#queue[this.#headIndex] = held;
  }

  protected holdEnd(ending: Ending): void {
    this.#waitingEnd = ending;
  }

  protected passWaitingEnd(): void {
    if (this.#waitingEnd === null || this.head !== undefined) return;
    const ending = this.#waitingEnd;
    this.#waitingEnd = null;
    this.passEnd(ending);
  }
}
