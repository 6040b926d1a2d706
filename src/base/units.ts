/** Units: the one file that parses `500ms`, `5000/s`, `64B` and that turns integers inside into text on screen. */

const durationUnitsUs: Record<string, number> = { us: 1, µs: 1, ms: 1000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000 };
const sizeUnitsBytes: Record<string, number> = { B: 1, KB: 1000, KiB: 1024, MB: 1_000_000, MiB: 1_048_576, GB: 1_000_000_000, GiB: 1_073_741_824 };
const rateUnitsPerSec: Record<string, number> = { s: 1, m: 1 / 60, h: 1 / 3600 };

/** `1m30s`, `500ms`, `2.5s` → whole µs (rounded); undefined when it is not a duration (a bare number is not one). */
export function parseDurationUs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let totalUs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h)/g)) {
    totalUs += Number(amount) * (durationUnitsUs[unit ?? ''] ?? Number.NaN);
  }
  return Math.round(totalUs);
}

/** `64B`, `1.5MB`, `4KiB` → whole bytes (rounded); undefined when it is not a size. */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|KB|KiB|MB|MiB|GB|GiB)$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (sizeUnitsBytes[match[2] ?? ''] ?? Number.NaN));
}

/** `5000/s`, `300/m`, `20k/s` → operations per second; undefined when it is not a rate. */
export function parseRatePerSec(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k?)\/(s|m|h)$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * (match[2] ? 1000 : 1) * (rateUnitsPerSec[match[3] ?? ''] ?? Number.NaN);
}

/** 1234 → `1.23ms`: three significant digits with the unit that fits. Null is a dash. */
export function formatUs(us: number | null): string {
  if (us === null || Number.isNaN(us)) return '–';
  const abs = Math.abs(us);
  if (abs < 1000) return `${Math.round(us)}µs`;
  if (abs < 1_000_000) return `${threeDigits(us / 1000)}ms`;
  if (abs < 120_000_000) return `${threeDigits(us / 1_000_000)}s`;
  return `${Math.floor(us / 60_000_000)}m${Math.round((us % 60_000_000) / 1_000_000)}s`;
}

/** Milliseconds as seconds with two decimals, for sentences: 3457 → `3.46 s`. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** 12345 → `12,345`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** 1536000 → `1.54 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1_000_000) return `${threeDigits(bytes / 1000)} kB`;
  if (bytes < 1_000_000_000) return `${threeDigits(bytes / 1_000_000)} MB`;
  return `${threeDigits(bytes / 1_000_000_000)} GB`;
}

/** 0.98765 → `98.77 %`. */
export function formatPercent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

function threeDigits(value: number): string {
  const abs = Math.abs(value);
  return value.toFixed(abs >= 100 ? 0 : abs >= 10 ? 1 : 2);
}
