/**
 * The values with units that profiles are made of, as zod types: text in, whole µs, bytes or operations per second out. Used by the
 * schemas beside it. `title` completes the sentence "it must be a …" and is what the reference page shows as the type.
 */
import { z } from 'zod';
import { formatBytes, parseDurationUs, parseRatePerSec, parseSizeBytes } from '../base/units.js';

export const MAX_DURATION = '24h';

/** A duration such as `500ms`; out: whole µs. `min` and `max` are durations too and inclusive. */
export function duration(min = '1ms', max = MAX_DURATION) {
  const minUs = parseDurationUs(min) ?? 0;
  const maxUs = parseDurationUs(max) ?? 0;
  return z
    .string()
    .meta({ title: 'duration', pattern: '^(\\d+(\\.\\d+)?(us|µs|ms|s|m|h))+$', 'x-range': `${min} to ${max}`, examples: ['500ms', '5s', '1m30s'] })
    .transform((text, ctx) => {
      const us = parseDurationUs(text);
      if (us !== undefined && us >= minUs && us <= maxUs) return us;
      ctx.addIssue({ code: 'custom', message: us === undefined ? notA('duration', text, '500ms, 5s or 1m30s') : outOf(text, min, max) });
      return z.NEVER;
    });
}

/** A size such as `64B`; out: whole bytes. */
export function size(min = '1B', max = '512MB') {
  const minBytes = parseSizeBytes(min) ?? 0;
  const maxBytes = parseSizeBytes(max) ?? 0;
  return z
    .string()
    .meta({ title: 'size', pattern: '^\\d+(\\.\\d+)?(B|KB|KiB|MB|MiB|GB|GiB)$', 'x-range': `${min} to ${max}`, examples: ['64B', '4KiB', '1MB'] })
    .transform((text, ctx) => {
      const bytes = parseSizeBytes(text);
      if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes;
      ctx.addIssue({
        code: 'custom',
        message: bytes === undefined ? notA('size', text, '64B, 4KiB or 1MB') : outOf(text, min, formatBytes(maxBytes)),
      });
      return z.NEVER;
    });
}

export interface RateRange {
  startPerSec: number;
  endPerSec: number;
}

const RATE = '\\d+(\\.\\d+)?k?/(s|m|h)';
const MAX_RATE_PER_SEC = 10_000_000;

/** A rate `5000/s`, or a ramp `1000/s..20000/s`; out: where it starts and ends, in operations per second. */
export function rate() {
  return z
    .string()
    .meta({
      title: 'rate or ramp',
      pattern: `^${RATE}(\\.\\.${RATE})?$`,
      'x-range': 'up to 10000k/s',
      examples: ['5000/s', '1000/s..20000/s'],
    })
    .transform((text, ctx): RateRange => {
      const [from, to, ...more] = text.split('..').map((part) => parseRatePerSec(part.trim()));
      const wrong = (message: string): RateRange => {
        ctx.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (/^\s*-\s*[\d.]/.test(text)) return wrong(`${JSON.stringify(text)} is negative; a rate is above 0, like 5000/s`);
      if (from === undefined || more.length > 0 || (text.includes('..') && to === undefined)) {
        return wrong(notA('rate', text, '5000/s, 300/m, or 1000/s..20000/s for a ramp'));
      }
      const range = { startPerSec: from, endPerSec: to ?? from };
      if (range.startPerSec === 0 && range.endPerSec === 0) return wrong(`${JSON.stringify(text)} sends nothing; a rate is above 0, like 5000/s`);
      if (Math.max(range.startPerSec, range.endPerSec) > MAX_RATE_PER_SEC) return wrong(outOf(text, '0/s', '10000k/s'));
      return range;
    });
}

/** A whole number; `title` says its range. */
export function whole(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** A check over several keys that also runs when single keys are wrong, so that all problems are told at once. It sees presence, and values as they are written. */
export function together<T extends z.ZodType>(
  schema: T,
  check: (
    has: (key: string) => boolean,
    problem: (message: string, key?: string | readonly string[]) => void,
    value: (key: string) => unknown,
  ) => void,
): T {
  const rule = z.superRefine<unknown>((value, ctx) => {
    if (value === null || typeof value !== 'object') return;
    const has = (key: string): boolean => Object.hasOwn(value, key) && (value as Record<string, unknown>)[key] !== undefined;
    const written = (key: string): unknown => (has(key) ? (value as Record<string, unknown>)[key] : undefined);
    check(
      has,
      (message, key) => ctx.addIssue({ code: 'custom', message, path: key === undefined ? [] : typeof key === 'string' ? [key] : [...key] }),
      written,
    );
  });
  rule._zod.def.when = () => true;
  return schema.check(rule as z.core.$ZodCheck<z.output<T>>);
}

function notA(what: string, text: string, examples: string): string {
  const bare = /^\d+(\.\d+)?$/.test(text) ? ' (it has no unit)' : '';
  return `${JSON.stringify(text)} is not a ${what}${bare}; write it like ${examples}`;
}

function outOf(text: string, min: string, max: string): string {
  return `${JSON.stringify(text)} is out of range; it must be from ${min} to ${max}`;
}
