/**
 * The entry of a load worker thread: connects, preloads, runs the engine from t0 on and sends what it counts to loadRunner.ts.
 * Everything it does is asked for by a message, except that it fails loudly.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { unreachable } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { operationsOfPlan } from '../plan/operations.js';
import { ValueStamper } from '../workload/valueStamp.js';
import { ValuePool, ValueSizer } from '../workload/values.js';
import type { ClientCounters, Completion } from './client.js';
import { Engine } from './engine.js';
import { GeneratorHealth, threadCpuUs } from './generatorHealth.js';
import { Ledger } from './ledger.js';
import { makeClient } from './makeClient.js';
import type { FromWorker, ToWorker, WorkerInit } from './messages.js';
import { OperationLog } from './operationLog.js';
import { Preloader } from './preload.js';
import { Routing } from './routing.js';
import { makeTicker } from './ticker.js';

const CONNECT_TIMEOUT_US = 10_000_000;

const { worker, workers, plan, endpoints, pacingMemory, ledger: memory, slotCounts, logFile } = workerData as WorkerInit;
const { keys, values, checksum } = plan.load.workload;
const health = new GeneratorHealth(worker);
const ticker = makeTicker(plan.load.pacing, worker, pacingMemory);
const sizer = new ValueSizer(plan.seed, values, checksum);
const routing = new Routing(keys, endpoints.shardOfSlot, endpoints.shardCount);
const ledger =
  memory === null
    ? null
    : new Ledger({
        memory,
        worker,
        ttlUs: plan.load.workload.ttlMs * 1000,
        timeoutUs: plan.load.timeoutUs,
        resends: plan.load.resend === 'client-default',
      });
const log = logFile === null ? null : new OperationLog(logFile, worker, keys, operationsOfPlan(plan));
/** When the preload began, machine monotonic µs; null: there was none. */
let preloadedUs: number | null = null;
/** Null before t0 is known. */
let t0Us: number | null = null;
/** What the client did before t0, in the preload. */
let before: ClientCounters = { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 };
const confirms = plan.load.confirm !== undefined;
/** Whose operations the client completes at the moment. */
let consumer: { completed: Completion } | null = null;

const client = await makeClient({
  plan,
  endpoints,
  worker,
  routing,
  values: new ValuePool(plan.seed, sizer.maxBytes, checksum),
  stamper: memory === null ? null : new ValueStamper(memory.run, worker),
  replies: ledger,
  completion: (token, outcome, reason, sentUs, doneUs, attempts) => consumer?.completed(token, outcome, reason, sentUs, doneUs, attempts),
  listener: {
    connection(address, state, reason) {
      if (t0Us === null) return;
      const node = endpoints.nodeIds[address] ?? address;
      const shard = client.shardOfAddress?.(address) ?? null;
      post({ type: 'event', event: { tUs: monotonicUs() - t0Us, type: 'connection', worker, node, shard, state, reason } });
    },
  },
});

const engine = new Engine({
  plan,
  worker,
  workers,
  routing,
  client,
  nowUs: monotonicUs,
  generatorSample: (dispatchLagP99Us) => health.sample(dispatchLagP99Us, ticker.takeBusyShare?.()),
  expect: (dueUs) => ticker.expect(dueUs),
  ledger,
  log,
  slotCounts,
  output: {
    interval: (interval) => post({ type: 'interval', interval }),
    event: (event) => post({ type: 'event', event }),
    exhausted: (tUs) => post({ type: 'exhausted', tUs }),
    finished: finish,
  },
});

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function finish(): void {
  ticker.stop();
  const after = client.counters();
  const counters = {
    attempts: after.attempts - before.attempts,
    retries: after.retries - before.retries,
    reconnects: after.reconnects - before.reconnects,
    slotRefreshes: after.slotRefreshes - before.slotRefreshes,
    ...(confirms ? { waits: (after.waits ?? 0) - (before.waits ?? 0), waitShort: (after.waitShort ?? 0) - (before.waitShort ?? 0) } : {}),
  };
  client.close();
  health.close();
  log?.close();
  post({ type: 'finished', counters, cpuUs: threadCpuUs(), rssBytesMax: Math.max(health.rssBytesMax, process.memoryUsage.rss()) });
  parentPort?.close();
}

function fail(thrown: unknown): void {
  if (thrown instanceof KvbenchError) post({ type: 'failed', code: thrown.code, message: thrown.message, hint: thrown.hint });
  else post({ type: 'failed', code: 'WORKER_FAILED', message: `load worker ${worker}: ${messageOf(thrown)}`, hint: undefined });
  ticker.stop();
  client.close();
  parentPort?.close();
}

async function preload(): Promise<void> {
  preloadedUs = monotonicUs();
  const onProgress = (done: number, total: number): void => post({ type: 'preloadProgress', done, total });
  const preloader = new Preloader(client, sizer, { count: keys.count, worker, writers: Math.min(workers, keys.count) }, onProgress, ledger);
  consumer = preloader;
  const result = await preloader.run();
  post({ type: 'preloaded', ...result });
}

/** Before t0, so that no reader meets a key of which it does not know. */
function notePreload(atUs: number): void {
  if (ledger === null) return;
  const writers = Math.min(workers, keys.count);
  if (worker < writers) for (let key = worker; key < keys.count; key += writers) ledger.preloaded(key, sizer.valueBytesOf(key), atUs);
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'preload':
      preload().catch(fail);
      return;
    case 'start':
      t0Us = message.t0Us;
      consumer = engine;
      before = client.counters();
      if (preloadedUs !== null) notePreload(preloadedUs - message.t0Us);
      health.restart();
      engine.start(message.t0Us);
      ticker.start(() => engine.tick());
      return;
    case 'stop':
      engine.stop(message.mode);
      return;
    default:
      unreachable(message);
  }
}

// ioredis leaves the promise of an ASKING unhandled when its connection closes; that is the connection's failure, and is counted as such.
process.on('unhandledRejection', (thrown) => {
  const isConnections = thrown instanceof Error && (thrown.name === 'ReplyError' || /connection|stream|retries per request/i.test(thrown.message));
  if (!isConnections) fail(thrown);
});

client
  .connect(CONNECT_TIMEOUT_US)
  .then(() => {
    parentPort?.on('message', handle);
    post({ type: 'ready' });
  })
  .catch(fail);
