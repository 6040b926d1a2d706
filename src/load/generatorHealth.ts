/**
 * How a load worker is doing itself: event-loop utilisation and delay, garbage collections, CPU of its thread, memory. Made by worker.ts, asked once a
 * second. It looks only at the generator, never at the server's answers.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import type { GeneratorSample } from '../result/records.js';

/** The delay monitor's own timer; what it measures includes this much. */
const DELAY_RESOLUTION_MS = 10;

export class GeneratorHealth {
  rssBytesMax = 0;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });

  /** Of this thread's own heap. */
  readonly #collections = new PerformanceObserver((list) => this.#addCollections(list.getEntries()));
  #gcCount = 0;
  #gcPauseMs = 0;

  constructor(readonly worker: number) {
    this.#delay.enable();
    this.#collections.observe({ entryTypes: ['gc'] });
  }

  /** Forgets what was before: connecting and preloading are no part of the run. */
  restart(): void {
    this.#utilization = performance.eventLoopUtilization();
    this.#delay.reset();
    this.rssBytesMax = 0;
    this.#takeCollections();
  }

  /** @param busyShare 0..1 of the time since the last sample, where the event loop's own account means nothing (it never sleeps) */
  sample(dispatchLagP99Us: number, busyShare?: number): GeneratorSample {
    const now = performance.eventLoopUtilization();
    const utilization = performance.eventLoopUtilization(now, this.#utilization).utilization;
    this.#utilization = now;
    // The histogram holds the distance between two timers, in ns; it is the resolution when nothing is late.
    const delayNs = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) - DELAY_RESOLUTION_MS * 1_000_000;
    this.#delay.reset();
    const rssBytes = process.memoryUsage.rss();
    this.rssBytesMax = Math.max(this.rssBytesMax, rssBytes);
    return {
      worker: this.worker,
      eventLoopUtilization: busyShare ?? utilization,
      eventLoopDelayP99Us: Math.max(0, Math.round(delayNs / 1000)),
      dispatchLagP99Us,
      cpuUs: threadCpuUs(),
      rssBytes,
      ...this.#takeCollections(),
    };
  }

  close(): void {
    this.#delay.disable();
    this.#collections.disconnect();
  }

  /** What was collected since the last call. */
  #takeCollections(): { gcCount: number; gcPauseUs: number } {
    this.#addCollections(this.#collections.takeRecords());
    const taken = { gcCount: this.#gcCount, gcPauseUs: Math.round(this.#gcPauseMs * 1000) };
    this.#gcCount = 0;
    this.#gcPauseMs = 0;
    return taken;
  }

  #addCollections(entries: readonly PerformanceEntry[]): void {
    for (const { duration } of entries) {
      this.#gcCount++;
      this.#gcPauseMs += duration;
    }
  }
}

let schedulerFile: number | null = null;
const schedulerText = Buffer.alloc(128);

/** The time on a CPU, of the calling thread. Null: a kernel without scheduler statistics. The file stays open: to open it takes ten times as long as to read it. */
function schedulerNs(): number | null {
  try {
    if (schedulerFile === null) {
      // Synchronous calls run on the calling thread, so `thread-self` is it.
      const file = openSync('/proc/thread-self/schedstat', 'r');
      process.once('exit', () => closeSync(file));
      schedulerFile = file;
    }
    const text = schedulerText.toString('latin1', 0, readSync(schedulerFile, schedulerText, 0, schedulerText.length, 0));
    const ns = Number(text.split(' ')[0]);
    return ns > 0 ? ns : null;
  } catch {
    return null;
  }
}

/**
 * CPU time of the calling thread since its start, in µs: from Node where it can tell (22.19 and later), else from Linux'
 * scheduler, else the time the event loop was busy, which is an upper bound.
 */
export function threadCpuUs(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  if (threadCpuUsage !== undefined) {
    const { user, system } = threadCpuUsage.call(process);
    return user + system;
  }
  const ns = process.platform === 'linux' ? schedulerNs() : null;
  if (ns !== null) return Math.round(ns / 1000);
  return Math.round(performance.eventLoopUtilization().active * 1000);
}
