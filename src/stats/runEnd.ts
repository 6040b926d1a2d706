/** How and when a run ended, from its events: finished, interrupted, aborted, ended early by an error, or cut off (killed). Pure. */
import { type Plan, loadEndUs as plannedLoadEndUs } from '../plan/plan.js';
import { type EventOf, type EventRecord, INTERVAL_US } from '../result/records.js';

export interface RunEnd {
  kind: 'finished' | 'interrupted' | 'aborted' | 'stopped' | 'failed' | 'cutOff';
  /** Signal, threshold or stop condition. */
  detail: string | null;
  /** End of the load that was asked for, µs since t0. */
  loadEndUs: number;
}

/** @param lastIntervalEndUs end of the last interval on disk */
export function runEndOf(plan: Plan, events: readonly EventRecord[], lastIntervalEndUs: number): RunEnd {
  const plannedEndUs = plannedLoadEndUs(plan);
  const found = (state: EventOf<'run'>['state']): EventOf<'run'> | undefined =>
    events.find((event): event is EventOf<'run'> => event.type === 'run' && event.state === state);
  for (const kind of ['interrupted', 'aborted', 'stopped'] as const) {
    const event = found(kind);
    if (event) return { kind, detail: event.detail ?? null, loadEndUs: clamp(event.tUs, plannedEndUs) };
  }
  const loadEnd = found('loadEnd');
  const loadEndUs = loadEnd?.tUs ?? lastIntervalEndUs;
  // Without a word of the end it was killed; with one, but with operations that nobody waited for, the load itself failed.
  if (!found('end') && !found('drained')) return { kind: 'cutOff', detail: null, loadEndUs: clamp(loadEndUs, plannedEndUs) };
  // All operations of a limited load had begun: it was over before its time, as planned.
  if (found('drained') && loadEnd?.detail === 'operations') return { kind: 'finished', detail: null, loadEndUs: clamp(loadEndUs, plannedEndUs) };
  if (!found('drained') || loadEndUs < plannedEndUs - INTERVAL_US) {
    return { kind: 'failed', detail: errorText(events), loadEndUs: clamp(loadEndUs, plannedEndUs) };
  }
  return { kind: 'finished', detail: null, loadEndUs: plannedEndUs };
}

function errorText(events: readonly EventRecord[]): string | null {
  const error = events.find((event): event is EventOf<'message'> => event.type === 'message' && event.level === 'error');
  return error?.text ?? null;
}

function clamp(us: number, maxUs: number): number {
  return Math.max(0, Math.min(us, maxUs));
}
