/**
 * Starts the embedded Toxiproxy-compatible server in a worker thread. Called by chaos/proxies.ts and tests; whoever uses it speaks to it
 * by HTTP alone, as to a real Toxiproxy.
 */
import { Worker } from 'node:worker_threads';
import { KvbenchError } from '../../base/errors.js';
import type { EmbeddedWorkerCommand, EmbeddedWorkerMessage, EmbeddedWorkerOptions } from './embeddedMessages.js';

/** How long closing may take before the thread is ended from outside. */
const CLOSE_LIMIT_MS = 5_000;

export interface EmbeddedToxiproxyOptions {
  /** Address of the API, 127.0.0.1 when left out. */
  host?: string;
  /** Port of the API, a free one when left out. */
  port?: number;
  /** Where every random choice of the toxics comes from (see ToxiproxyServerOptions.seed); 0 when left out. */
  seed?: number;
  /** Whether GET /metrics exists. */
  metrics?: boolean;
}

export interface EmbeddedToxiproxy {
  /** Base URL of the API, without a slash at its end. */
  readonly url: string;
  /** Ends the server, its proxies and its thread. Safe to call twice. */
  close(): Promise<void>;
}

/** Resolves when the API answers. Throws PROXY_FAILED when it cannot listen. The thread does not keep the process alive. */
export async function startEmbeddedToxiproxy(options: EmbeddedToxiproxyOptions = {}): Promise<EmbeddedToxiproxy> {
  const workerData: EmbeddedWorkerOptions = {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    seed: options.seed ?? 0,
    metrics: options.metrics ?? false,
  };
  const worker = new Worker(new URL('./embeddedWorker.js', import.meta.url), { workerData, name: 'toxiproxy' });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const started = await firstMessage(worker);
  if (started.kind === 'failed') {
    await exited;
    throw new KvbenchError(
      'PROXY_FAILED',
      `the embedded Toxiproxy server could not listen on ${workerData.host}:${workerData.port}: ${started.reason}`,
      'Choose another port, or name a running server with `toxiproxy: http://host:8474`.',
    );
  }
  worker.unref();
  // A thread that dies is noticed by its clients, whose requests fail; it must not take the process along.
  worker.on('error', () => {});
  return { url: started.url, close: () => closeWorker(worker, exited) };
}

function firstMessage(worker: Worker): Promise<EmbeddedWorkerMessage> {
  return new Promise((resolve) => {
    worker.once('message', resolve);
    worker.once('error', (error) => resolve({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) }));
    worker.once('exit', (code) => resolve({ kind: 'failed', reason: `its thread ended with code ${code}` }));
  });
}

async function closeWorker(worker: Worker, exited: Promise<void>): Promise<void> {
  worker.ref();
  const command: EmbeddedWorkerCommand = { kind: 'close' };
  worker.postMessage(command);
  const limit = setTimeout(() => void worker.terminate(), CLOSE_LIMIT_MS);
  await exited;
  clearTimeout(limit);
}
