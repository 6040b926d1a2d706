/**
 * The thread the embedded Toxiproxy server runs in, so that neither the main thread nor the load threads carry its traffic.
 * Started by embedded.ts only; ends when told to, with every proxy and connection.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../base/errors.js';
import type { EmbeddedWorkerCommand, EmbeddedWorkerMessage, EmbeddedWorkerOptions } from './embeddedMessages.js';
import { ToxiproxyServer } from './server.js';

const port = parentPort;
if (port === null) throw new Error('bug in kvbench: embeddedWorker must run in a worker thread');
const options = workerData as EmbeddedWorkerOptions;
const server = new ToxiproxyServer({ seed: options.seed, metrics: options.metrics });

const post = (message: EmbeddedWorkerMessage): void => port.postMessage(message);

port.on('message', (command: EmbeddedWorkerCommand) => {
  if (command.kind === 'close') void server.close().finally(() => port.close());
});

try {
  post({ kind: 'listening', url: await server.listen(options.host, options.port) });
} catch (error) {
  post({ kind: 'failed', reason: messageOf(error) });
  port.close();
}
