/** A file of lines in a result folder that is written in large pieces; its first line says what it holds. Used for what can get long. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { KvbenchError, messageOf } from '../base/errors.js';
import { FORMAT_VERSION } from './records.js';

const PIECE_CHARS = 262_144;

export class LineFile {
  readonly #descriptor: number;
  #text: string;

  /** Throws RESULT_NOT_WRITABLE, also when the file exists. @param head what stands in the first line beside the format version */
  constructor(
    readonly file: string,
    head: Readonly<Record<string, unknown>>,
  ) {
    try {
      this.#descriptor = openSync(file, 'wx');
    } catch (error) {
      throw new KvbenchError('RESULT_NOT_WRITABLE', `${file} cannot be written: ${messageOf(error)}`, 'Check its permissions.', error);
    }
    this.#text = `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...head })}\n`;
  }

  /** @param line without its end */
  add(line: string): void {
    this.#text += line;
    this.#text += '\n';
    if (this.#text.length > PIECE_CHARS) this.#write();
  }

  close(): void {
    this.#write();
    closeSync(this.#descriptor);
  }

  #write(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
  }
}
