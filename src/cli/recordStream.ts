/** The one ordered stream of a run's records, handed to whoever listens: folder, terminal, milestones, thresholds; later a web page. */
import type { EventRecord, IntervalRecord, RunSink } from '../result/records.js';

export class RecordStream implements RunSink {
  readonly #sinks: RunSink[] = [];

  /** Sinks are served in the order they were added: the disk first. */
  add(sink: RunSink): void {
    this.#sinks.push(sink);
  }

  interval(record: IntervalRecord): void {
    for (const sink of this.#sinks) sink.interval(record);
  }

  event(record: EventRecord): void {
    for (const sink of this.#sinks) sink.event(record);
  }
}
