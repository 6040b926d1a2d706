/**
 * One toxic at work on one direction of one connection. A link chains stages: each receives chunks and the ending of the stream
 * and passes them to the next, now or later. Stages are driven by link.ts only and never touch a socket.
 */

/** A piece of the stream as it was read. */
export interface Chunk {
  readonly data: Buffer;
  /** Machine monotonic µs at which it arrived here; a stage that delays passes it on with the moment it was due. */
  readonly arrivedUs: number;
}

/**
 * How a stream ends. `fin`: the sender has finished, the way back stays open. `close`: the connection is to be closed after what is
 * still on its way. `reset`: the sender was reset; the receiver is, after what is on its way. `abort`: RST to both sides, now.
 */
export type Ending = 'fin' | 'close' | 'reset' | 'abort';

/** What a stage passes to: the next stage, or the socket at the end. */
export interface Receiver {
  receive(chunk: Chunk): void;
  receiveEnd(ending: Ending): void;
}

/** What a stage may ask of its link. */
export interface StageContext {
  /** The toxic's attributes as they are now, by Toxiproxy's names; an update replaces them. */
  readonly attributes: () => Readonly<Record<string, number>>;
  /** Uniform in [0, 1), from the seed of the server. */
  readonly draw: () => number;
  /** To be called after held bytes were passed outside of `receive`: reading may go on. */
  readonly released: () => void;
  /** False on a connection that was open before the toxic was added. */
  readonly addedBeforeConnection: boolean;
}

export abstract class Stage implements Receiver {
  /** Set by the link, and again whenever neighbours come and go. */
  next: Receiver | null = null;
  /** An ending of its own or of its source has passed: nothing may follow. */
  protected ended = false;

  constructor(protected readonly context: StageContext) {}

  abstract receive(chunk: Chunk): void;

  /** By default an ending passes at once. */
  receiveEnd(ending: Ending): void {
    this.passEnd(ending);
  }

  /** An ending has passed: what is received is dropped. */
  get hasEnded(): boolean {
    return this.ended;
  }

  /** Bytes received and not yet passed. */
  get heldBytes(): number {
    return 0;
  }

  /** An ending waits here. */
  get holdsEnd(): boolean {
    return false;
  }

  /** Bytes this stage may hold before the source is paused, beyond what a link holds anyway. */
  get roomBytes(): number {
    return 0;
  }

  /** Called once it is in its place. */
  start(): void {}

  /** The attributes have changed. */
  update(): void {}

  /** The die has switched it off: passes all that is held, at once and in order, and does nothing more. */
  release(): void {
    this.dispose();
  }

  /** Its toxic was removed. */
  remove(): void {
    this.release();
  }

  /** The connection has gone: forget everything. */
  dispose(): void {}

  protected attribute(name: string): number {
    return this.context.attributes()[name] ?? 0;
  }

  protected pass(chunk: Chunk): void {
    if (!this.ended) this.next?.receive(chunk);
  }

  protected passEnd(ending: Ending): void {
    if (this.ended) return;
    this.ended = true;
    this.next?.receiveEnd(ending);
  }
}

/** One type of toxic: a file each. */
export interface ToxicKind {
  readonly type: string;
  /** Attribute names in the order of Toxiproxy's replies, with their JSON types. */
  readonly attributes: Readonly<Record<string, 'int64' | 'float64'>>;
  /** Null: it lets everything through. */
  readonly makeStage: ((context: StageContext) => Stage) | null;
}
