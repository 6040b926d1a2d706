/**
 * The lag probe and the nodes' clocks, as events of a run. Made by `observer.ts` where the plan asks for it; everything it asks goes over
 * connections of its own. It never throws, and follows nodes that come and go by the view of the moment.
 */
import { monotonicUs } from '../base/clock.js';
import type { EventRecord } from '../result/records.js';
import type { Target } from '../topology/target.js';
import { LagProbe } from './lagProbe.js';
import { CLOCK_INTERVAL_US, NodeClock } from './nodeClock.js';
import type { TopologyTracker } from './topologyTracker.js';

export interface LagAndClocksOptions {
  target: Target;
  tracker: TopologyTracker;
  /** Of the run's keys. */
  prefix: string;
  /** Between two markers. */
  everyUs: number;
  /** Machine monotonic µs. */
  t0Us: number;
  /** With `tUs` in machine monotonic µs. */
  emit: (event: EventRecord) => void;
}

export class LagAndClocks {
  readonly #options: LagAndClocksOptions;
  readonly #lag: LagProbe;
  readonly #clocks = new Map<string, NodeClock>();
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(options: LagAndClocksOptions) {
    const { target, tracker, prefix, everyUs, t0Us, emit } = options;
    this.#options = options;
    this.#lag = new LagProbe({
      target,
      view: () => tracker.nodes,
      prefix,
      everyUs,
      report: ({ atUs, markers, ...report }) =>
        emit({
          tUs: atUs,
          type: 'lag',
          ...report,
          markers: markers.map(([ackUs, lagUs, resolutionUs]) => [ackUs - t0Us, lagUs, resolutionUs]),
          behindBytes: report.master === null ? null : tracker.bytesBehind(report.master, report.node),
        }),
      warn: (node, reason) =>
        emit({ tUs: monotonicUs(), type: 'message', level: 'warning', text: `replication lag is not measured on ${node}: ${reason}` }),
    });
  }

  start(): void {
    if (this.#isOver) return;
    if (!this.#options.tracker.nodes.some(({ role }) => role === 'replica')) {
      const text = 'replication lag is not measured: this target has no replica that kvbench knows of';
      this.#options.emit({ tUs: monotonicUs(), type: 'message', level: 'info', text });
    }
    this.#lag.start();
    this.#readClocks();
  }

  /** Tells what is left and removes the markers. Safe to call twice. */
  end(): Promise<void> {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const clock of this.#clocks.values()) clock.stop();
    return this.#lag.end();
  }

  #readClocks(): void {
    this.#timer = setTimeout(() => this.#readClocks(), CLOCK_INTERVAL_US / 1000);
    for (const { id, role } of this.#options.tracker.nodes) if (role !== 'sentinel') this.#clockOf(id).tick();
  }

  #clockOf(id: string): NodeClock {
    const { target, t0Us, emit } = this.#options;
    const known = this.#clocks.get(id);
    if (known !== undefined) return known;
    const clock = new NodeClock(
      () => target.control(id),
      ({ offsetUs, uncertaintyUs }) => emit({ tUs: monotonicUs(), type: 'clock', node: id, wallAtT0Us: offsetUs + t0Us, uncertaintyUs }),
    );
    this.#clocks.set(id, clock);
    return clock;
  }
}
