/**
 * The windows of each fault, by intended start. Pure; used for the summary and for the tag `during` of thresholds.
 *
 * - `before`: from the end of the recovery of earlier faults (at first: of warm-up) to the injection; absent while an earlier fault is still felt.
 * - `fault`: from the injection to the end of its last gap (of its shard or as collateral); without a gap, to its heal.
 * - `recovery`: until it is healed, p99 is back and redundancy restored, as far as these happened.
 * - `after`: from then to the next injection, or the end of the load.
 * Windows of overlapping faults overlap, and each counts all operations in it. Without naming a fault, an operation is in `fault` if it is in
 * any fault's; else in `recovery` if in any; else in `before` until the first injection; else in `after`: these four never overlap.
 */
import type { WindowSummary } from '../result/summary.js';

export type WindowName = WindowSummary['name'];
export const windowNames = ['before', 'fault', 'recovery', 'after'] as const satisfies readonly WindowName[];

/** What of a fault shapes its windows; all µs since t0. */
export interface FaultCourse {
  faultId: number;
  injectedAtUs: number;
  healedAtUs: number | null;
  lastGapEndUs: number | null;
  p99RecoveredUs: number | null;
  redundancyRestoredUs: number | null;
}

export interface Window {
  name: WindowName;
  faultId: number;
  startUs: number;
  endUs: number;
}

/** What is recorded: from the end of warm-up to the end of the load. */
export interface Bounds {
  startUs: number;
  endUs: number;
}

/** Windows of all injected faults in order of injection; empty ones are left out. */
export function buildWindows(courses: readonly FaultCourse[], bounds: Bounds): Window[] {
  const ordered = [...courses].sort((a, b) => a.injectedAtUs - b.injectedAtUs);
  const windows: Window[] = [];
  let feltUntilUs = bounds.startUs;
  ordered.forEach((course, i) => {
    const { injectedAtUs } = course;
    const faultEndUs = course.lastGapEndUs ?? course.healedAtUs ?? bounds.endUs;
    const recoveredUs = Math.max(faultEndUs, course.healedAtUs ?? 0, course.p99RecoveredUs ?? 0, course.redundancyRestoredUs ?? 0);
    const nextUs = ordered.slice(i + 1).find((other) => other.injectedAtUs >= recoveredUs)?.injectedAtUs ?? bounds.endUs;
    const add = (name: WindowName, startUs: number, endUs: number): void => {
      const clipped = { name, faultId: course.faultId, startUs: Math.max(startUs, bounds.startUs), endUs: Math.min(endUs, bounds.endUs) };
      if (clipped.endUs > clipped.startUs) windows.push(clipped);
    };
    add('before', feltUntilUs, injectedAtUs);
    add('fault', injectedAtUs, faultEndUs);
    add('recovery', Math.max(faultEndUs, injectedAtUs), recoveredUs);
    add('after', recoveredUs, nextUs);
    feltUntilUs = Math.max(feltUntilUs, recoveredUs);
  });
  return windows;
}

/** Whether a moment is `during` a window, of one fault or of any. */
export function isDuring(atUs: number, name: WindowName, faultId: number | null, windows: readonly Window[]): boolean {
  if (faultId !== null) return windows.some((window) => window.faultId === faultId && window.name === name && inWindow(atUs, window));
  return windowAt(atUs, windows) === name;
}

/** The one window name of a moment when no fault is named. */
export function windowAt(atUs: number, windows: readonly Window[]): WindowName {
  let felt: WindowName | null = null;
  let firstInjectionUs = Number.POSITIVE_INFINITY;
  for (const window of windows) {
    if (window.name !== 'before' && window.name !== 'after') {
      firstInjectionUs = Math.min(firstInjectionUs, window.startUs);
      if (inWindow(atUs, window)) felt = window.name === 'fault' || felt === 'fault' ? 'fault' : 'recovery';
    } else if (window.name === 'after') firstInjectionUs = Math.min(firstInjectionUs, window.startUs);
  }
  return felt ?? (atUs < firstInjectionUs ? 'before' : 'after');
}

function inWindow(atUs: number, window: Window): boolean {
  return atUs >= window.startUs && atUs < window.endUs;
}
