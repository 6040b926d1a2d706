/**
 * Follows a server's log file from its present end. Made by `observer.ts`, one per lab node. It only reads, in bounded pieces, and it
 * never throws after `open`: a log that can't be read for a moment (rotated, not yet there) is tried again.
 *
 * A change is noticed through the file system's notification, within a few ms, and by looking every 100 ms in case there was none (every
 * 25 ms where notifications don't work). Nothing measured hangs on that: lines carry the server's own stamp.
 */
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { monotonicUs } from '../base/clock.js';

const LOOK_MS = 100;
const LOOK_WITHOUT_WATCH_MS = 25;
const READ_BYTES = 64 * 1024;
/** A longer line without an end is given up: it is no log line of a server. */
const LINE_CHARS_MAX = 16 * 1024;

export interface TailedLines {
  /** Complete lines, without their ends; at least one. */
  lines: string[];
  /** Machine monotonic µs: right after they were read. */
  readAtUs: number;
  /** Machine monotonic µs: the file had been read to its end by then, without these lines. */
  unseenAtUs: number;
}

export class LogTail {
  readonly #file: string;
  #listener: ((lines: TailedLines) => void) | null = null;
  #inode = -1;
  #position = 0;
  #handle: FileHandle | null = null;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #decoder = new StringDecoder('utf8');
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  #partial = '';
  #unseenAtUs = monotonicUs();
  #pass: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Remembers where the file ends now; a file that is not there yet will be read from its start. */
  static async open(file: string): Promise<LogTail> {
    const tail = new LogTail(file);
    try {
      tail.#handle = await open(file, 'r');
      const found = await tail.#handle.stat();
      tail.#inode = found.ino;
      tail.#position = found.size;
    } catch {
      await tail.#close();
    }
    tail.#unseenAtUs = monotonicUs();
    return tail;
  }

  /** Delivers every line written since `open`, in order. */
  listen(listener: (lines: TailedLines) => void): void {
    this.#listener = listener;
    this.#look();
  }

  /** Reads what is left, delivers it, and lets go of the file. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#pass;
    await this.#readNew();
    await this.#close();
  }

  /** Starts a pass, or has the running one followed by another. */
  #look(): void {
    if (this.#stopped) return;
    if (this.#pass) {
      this.#again = true;
      return;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#pass = this.#readNew().then(() => {
      this.#pass = null;
      if (this.#stopped) return;
      if (this.#again) {
        this.#again = false;
        this.#look();
        return;
      }
      if (!this.#watcher && this.#inode >= 0) this.#startWatching();
      this.#timer = setTimeout(() => this.#look(), this.#watcher ? LOOK_MS : LOOK_WITHOUT_WATCH_MS);
    });
  }

  /** The notification follows the inode, so it is renewed with every new file. */
  #startWatching(): void {
    try {
      this.#watcher = watch(this.#file, { persistent: false }, () => this.#look());
      this.#watcher.on('error', () => this.#stopWatching());
    } catch {
      this.#watcher = null;
    }
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close().catch(() => undefined);
  }

  /** One pass: follows a rotation, then reads to the end. Never rejects. The open handle keeps the inode number from being used again. */
  async #readNew(): Promise<void> {
    try {
      const lookedAtUs = monotonicUs();
      const found = await stat(this.#file).catch(() => null);
      const replaced = found !== null && found.ino !== this.#inode;
      if (this.#handle && found?.size === this.#position && !replaced) {
        this.#unseenAtUs = lookedAtUs;
        return;
      }
      if (this.#handle && (replaced || found === null)) await this.#readToEnd(this.#handle);
      if (found === null) return;
      if (replaced) {
        await this.#close();
        this.#stopWatching();
      }
      if (replaced || found.size < this.#position) this.#restart(found.ino);
      this.#handle ??= await open(this.#file, 'r');
      await this.#readToEnd(this.#handle);
    } catch {
      await this.#close();
    }
  }

  #restart(inode: number): void {
    this.#inode = inode;
    this.#position = 0;
    this.#partial = '';
    this.#decoder = new StringDecoder('utf8');
  }

  async #readToEnd(handle: FileHandle): Promise<void> {
    const buffer = this.#buffer;
    for (;;) {
      const askedAtUs = monotonicUs();
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, this.#position);
      if (bytesRead === 0) {
        this.#unseenAtUs = askedAtUs;
        return;
      }
      this.#position += bytesRead;
      this.#deliver(this.#decoder.write(buffer.subarray(0, bytesRead)), monotonicUs());
    }
  }

  #deliver(text: string, readAtUs: number): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    if (this.#partial.length > LINE_CHARS_MAX) this.#partial = '';
    if (lines.length > 0) this.#listener?.({ lines, readAtUs, unseenAtUs: this.#unseenAtUs });
  }
}
