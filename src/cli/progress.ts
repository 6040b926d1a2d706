/**
 * The run on the terminal while it happens: a status line (or a plain line every 5 s where there is no terminal), and a line per event.
 * One of the listeners of the record stream; it only talks.
 */
import { monotonicUs } from '../base/clock.js';
import { formatCount, formatUs } from '../base/units.js';
import { type FaultState, loadEndUs, type Plan } from '../plan/plan.js';
import { eventLine, stateLine } from '../report/eventLine.js';
import type { EventRecord, IntervalRecord, RunSink } from '../result/records.js';
import { TerminalStats } from '../stats/liveView.js';
import type { Terminal } from './terminal.js';

const STATUS_EVERY_MS = 200;
const PLAIN_LINE_EVERY_US = 5_000_000;
/** Every fault and every state is worth a line; of the rest only what a person has to know. */
const spokenEvents: ReadonlySet<EventRecord['type']> = new Set(['fault', 'process', 'phase', 'message']);

export interface StateSource {
  /** `happened` false: nothing to tell, only that nothing stands in the way any more. */
  onState(listener: (faultId: number, state: FaultState, atUs: number, happened: boolean) => void): void;
}

export class Progress implements RunSink {
  readonly #plan: Plan;
  readonly #terminal: Terminal;
  readonly #stats = new TerminalStats();
  readonly #endUs: number;
  readonly #injectedAtUs = new Map<number, number>();
  #t0Us = 0;
  #timer: NodeJS.Timeout | null = null;
  #lastPlainUs = 0;
  #phase = 'starting';
  #waiting: string | null = null;
  #activeFaults: () => number[] = () => [];

  constructor(plan: Plan, terminal: Terminal) {
    this.#plan = plan;
    this.#terminal = terminal;
    this.#endUs = loadEndUs(plan);
  }

  /** Starts the display; `states` tells what each fault has reached. */
  watch(t0Us: number, states: StateSource): void {
    this.#t0Us = t0Us;
    this.#lastPlainUs = t0Us;
    states.onState((faultId, state, atUs, happened) => {
      if (state === 'injected') this.#injectedAtUs.set(faultId, atUs);
      // These two have event lines of their own, which say what was hit.
      if (state === 'injected' || state === 'healed' || !happened) return;
      const line = stateLine(this.#plan, faultId, state, atUs, this.#injectedAtUs.get(faultId));
      if (line !== null) this.#terminal.talk(line);
    });
    this.#timer = setInterval(() => this.#show(), STATUS_EVERY_MS);
  }

  showActiveFaults(activeFaults: () => number[]): void {
    this.#activeFaults = activeFaults;
  }

  /** After the load: what the run still waits for. */
  waitingFor(what: string): void {
    this.#waiting = what;
  }

  interval(record: IntervalRecord): void {
    this.#stats.interval(record);
  }

  event(record: EventRecord): void {
    if (record.type === 'phase' && record.state === 'start') this.#phase = record.name;
    if (!spokenEvents.has(record.type)) return;
    if (record.type === 'process' && record.byFault !== null) return;
    const line = eventLine(record);
    if (line !== null) this.#terminal.talk(line);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#terminal.status(null);
  }

  #show(): void {
    const sinceT0Us = monotonicUs() - this.#t0Us;
    if (sinceT0Us < 0) return;
    if (this.#terminal.live) {
      this.#terminal.status(this.#line(sinceT0Us));
    } else if (sinceT0Us + this.#t0Us - this.#lastPlainUs >= PLAIN_LINE_EVERY_US) {
      this.#lastPlainUs += PLAIN_LINE_EVERY_US;
      this.#terminal.talk(this.#line(sinceT0Us));
    }
  }

  #line(sinceT0Us: number): string {
    const seconds = (us: number): string => `${(us / 1_000_000).toFixed(1)}s`;
    if (this.#waiting !== null) return `  ${seconds(sinceT0Us)}  ${this.#waiting}`;
    const now = this.#stats.snapshot();
    const leftUs = this.#endUs - sinceT0Us;
    const faults = this.#activeFaults().map((id) => `${this.#plan.chaos.find((fault) => fault.id === id)?.kind ?? 'fault'} ${id}`);
    return [
      `  ${seconds(sinceT0Us)}/${seconds(this.#endUs)}`,
      this.#phase,
      `${formatCount(now?.throughputOpsPerSec ?? 0)} ops/s`,
      `p99 ${formatUs(now?.p99Us ?? null)}`,
      `not ok ${formatCount(now?.errorsPerSec ?? 0)}/s${now?.mainReason ? ` (${now.mainReason})` : ''}`,
      faults.length > 0 ? `in force: ${faults.join(', ')}` : 'no fault in force',
      leftUs > 0 ? `${seconds(leftUs)} left` : 'draining',
    ].join('  ');
  }
}
