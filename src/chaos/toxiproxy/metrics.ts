/**
 * Bytes through each proxy and direction, in Prometheus' text format under Toxiproxy's names. Links count into it, server.ts shows it.
 * Counters outlive their proxies: a counter never goes down.
 */
import type { Direction } from './toxic.js';

/** What one direction of one proxy has carried. HOT: links add to the fields. */
export interface Traffic {
  /** Read from the sender. */
  receivedBytes: number;
  /** Handed on to the receiver. */
  sentBytes: number;
}

export class Metrics {
  readonly #byLabels = new Map<string, Traffic>();

  /** The counters of these labels, the same object for the same labels. */
  traffic(direction: Direction, proxy: string, listener: string, upstream: string): Traffic {
    const labels = `direction="${escapeLabel(direction)}",listener="${escapeLabel(listener)}",proxy="${escapeLabel(proxy)}",upstream="${escapeLabel(upstream)}"`;
    let traffic = this.#byLabels.get(labels);
    if (traffic === undefined) {
      traffic = { receivedBytes: 0, sentBytes: 0 };
      this.#byLabels.set(labels, traffic);
    }
    return traffic;
  }

  /** The page of GET /metrics. */
  render(): string {
    return (
      this.#renderCounter('toxiproxy_proxy_received_bytes_total', (traffic) => traffic.receivedBytes) +
      this.#renderCounter('toxiproxy_proxy_sent_bytes_total', (traffic) => traffic.sentBytes)
    );
  }

  #renderCounter(name: string, value: (traffic: Traffic) => number): string {
    if (this.#byLabels.size === 0) return '';
    const lines = [...this.#byLabels].map(([labels, traffic]) => `${name}{${labels}} ${value(traffic)}\n`);
    return `# HELP ${name} \n# TYPE ${name} counter\n${lines.join('')}`;
  }
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
