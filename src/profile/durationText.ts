/** Durations as people write them in profiles. Used in messages and in the timeline. Pure. */
import { formatUs } from '../base/units.js';

/** 18 s is `18s`, not `18.0s`: planned times are as round as people write them. */
export function durationText(us: number): string {
  if (us >= 60_000_000 && us % 1_000_000 === 0) {
    const seconds = us / 1_000_000;
    return seconds % 60 === 0 ? `${seconds / 60}m` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  }
  if (us === 0) return '0s';
  if (us % 1000 === 0 && us < 60_000_000) return us >= 1_000_000 ? `${us / 1_000_000}s` : `${us / 1000}ms`;
  return formatUs(us);
}
