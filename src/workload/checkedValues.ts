/**
 * Values that say themselves whether they are intact: a row of 64-byte records, each with its number and a CRC-32. The number of the
 * first one follows from key and length, so a cut or foreign value shows, too. Values stay slices of one pool: writing them costs nothing
 * more. Used by values.ts, and by whoever reads values back.
 */
import { crc32 } from 'node:zlib';
import { mix32 } from '../base/random.js';

/** 8 hex digits of the record's number, 48 bytes of content, 8 hex digits of the CRC-32 of those 56 bytes. */
export const RECORD_BYTES = 64;
const NUMBER_BYTES = 8;
const CRC_AT = 56;
/** A power of two. */
export const MAX_FIRST_RECORD = 16_384;

/** The number of the first record of a value of this key with this size: below MAX_FIRST_RECORD. */
export function firstRecordOf(keyIndex: number, valueBytes: number): number {
  return mix32(keyIndex ^ Math.imul(valueBytes, 0x9e3779b1)) & (MAX_FIRST_RECORD - 1);
}

/** Makes records of the whole ones in `bytes`: their content stays, number and checksum are written over it. */
export function writeRecords(bytes: Buffer): void {
  for (let number = 0; (number + 1) * RECORD_BYTES <= bytes.length; number++) {
    const at = number * RECORD_BYTES;
    bytes.write(hex(number), at, 'latin1');
    bytes.write(hex(crc32(bytes.subarray(at, at + CRC_AT))), at + CRC_AT, 'latin1');
  }
}

/** What is wrong with a value that was read from key `keyIndex`, in words; null when it is as it was written. */
export function valueProblem(value: Buffer, keyIndex: number): string | null {
  if (value.length === 0 || value.length % RECORD_BYTES !== 0) return `${value.length} bytes are not whole records of ${RECORD_BYTES}`;
  for (let at = 0; at < value.length; at += RECORD_BYTES) {
    const crc = value.toString('latin1', at + CRC_AT, at + RECORD_BYTES);
    if (crc !== hex(crc32(value.subarray(at, at + CRC_AT)))) return `the bytes from ${at} to ${at + RECORD_BYTES} do not match their checksum`;
    const number = value.toString('latin1', at, at + NUMBER_BYTES);
    const expected = hex(firstRecordOf(keyIndex, value.length) + at / RECORD_BYTES);
    if (number !== expected)
      return `record ${number} stands at byte ${at} instead of ${expected}: it is another key's, or parts are missing or out of place`;
  }
  return null;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
