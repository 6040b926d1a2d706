/**
 * The timed part of a run: from t0 through load and chaos to a healed target. Returns how it ended; never exits, never leaves a fault
 * in force. Called by run.ts with the stage set.
 */

import { monotonicUs, sleepUs, wallClockMs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { formatCount } from '../base/units.js';
import { holdYoungGeneration } from '../base/youngGeneration.js';
import { ChaosController } from '../chaos/controller.js';
import { type Proof, proveWhole } from '../chaos/proof.js';
import { type Observer, type ObserverOptions, startObserver } from '../observe/observer.js';
import { clientGroupsOf, type Plan } from '../plan/plan.js';
import type { EventRecord } from '../result/records.js';
import { FaultTimesCollector } from '../stats/faultTimes.js';
import { MilestoneTracker } from '../stats/milestoneTracker.js';
import { StopConditions } from '../stats/stopConditions.js';
import { LiveThresholds } from '../stats/thresholds.js';
import { ServerLosses } from '../verify/serverLosses.js';
import { verificationFailed, verifyRun } from '../verify/verification.js';
import { countKeys, watchPlacement } from './placement.js';
import type { Progress } from './progress.js';
import type { RecordStream } from './recordStream.js';
import type { Stage } from './stage.js';
import type { Teardown } from './teardown.js';

/** From the decision to start to t0: the observer's first look and the schedule must stand by then. */
const START_LEAD_US = 500_000;
/** How long a healed target may take to have all its replicas in sync before the run goes on without. */
export const RECOVERY_LIMIT_US = 60_000_000;
const RECOVERY_LOOK_EVERY_US = 50_000;
/** What is not whole is looked at again for as long. */
const PROOF_LIMIT_US = 3_000_000;

export type PerformanceEnd =
  | { kind: 'complete' }
  | { kind: 'interrupted'; by: string }
  | { kind: 'aborted'; by: string }
  | { kind: 'stopped'; by: string }
  | { kind: 'failed'; error: unknown };

export interface PerformanceOptions {
  plan: Plan;
  stage: Stage;
  stream: RecordStream;
  progress: Progress;
  teardown: Teardown;
  /** The result folder. */
  folder: string;
  /** Told t0 once it is fixed, before anything happens at it. */
  onStart(t0WallMs: number): void;
  interrupted: AbortSignal;
  interruptedBy(): string | null;
}

export async function perform(options: PerformanceOptions): Promise<PerformanceEnd> {
  const { plan, stage, stream, progress, teardown } = options;
  const keysBefore = await countKeys(stage);
  const t0Us = monotonicUs() + START_LEAD_US;
  options.onStart(wallClockMs() + START_LEAD_US / 1000);
  const sinceT0 = (): number => monotonicUs() - t0Us;
  const event = (record: Omit<Extract<EventRecord, { type: 'run' }>, 'tUs' | 'type'>): void =>
    stream.event({ tUs: sinceT0(), type: 'run', ...record });

  const tracker = new MilestoneTracker(plan);
  const thresholds = new LiveThresholds(plan);
  const stops = new StopConditions(plan);
  stream.add(tracker);
  stream.add(stops);
  stream.add(thresholds);
  progress.watch(t0Us, tracker);
  stream.add(progress);
  teardown.add('stop the progress display', () => progress.stop());
  const verify = prepareVerification(options, t0Us);
  if (keysBefore) stream.event({ tUs: sinceT0(), type: 'keys', ...keysBefore });

  const observer = await startObserver({ target: stage.target, sink: stream, t0Us, ...lagOption(plan) });
  teardown.add('stop watching the nodes', () => observer.stop());
  const chaosEnd = new AbortController();
  const context = {
    processes: stage.target.processes,
    growth: stage.target.growth,
    proxies: stage.proxies,
    journal: stage.journal,
    clientGroups: clientGroupsOf(plan).map((group) => group.name),
    view: () => observer.view(),
    control: (nodeId: string) => stage.target.control(nodeId),
    note: (text: string) => stream.event({ tUs: sinceT0(), type: 'message', level: 'info', text }),
    signal: chaosEnd.signal,
  };
  const chaos = new ChaosController({ plan, context, sink: stream, t0Us, states: tracker, errorRate: () => stops.errorRate() });
  progress.showActiveFaults(() => chaos.activeFaults());
  teardown.add('heal every fault', async () => {
    await chaos.healAll('the run ends');
    chaosEnd.abort();
  });
  let isOver = false;
  stage.target.processes?.onChange(({ atUs, ...change }) => {
    // The servers are ended after the run, which is no news of the run.
    if (isOver) return;
    const byFault = chaos.faultOfExit(change.node, atUs);
    stream.event({ tUs: atUs - t0Us, type: 'process', ...change, byFault });
  });

  // All threads have been started by now. Those of ioredis would be slowed by it.
  const release = plan.load.client === 'wire' ? holdYoungGeneration() : () => {};
  stage.load.start(t0Us);
  chaos.start();
  const ended = new AbortController();
  void announceStart(t0Us, stream, ended.signal);
  const placed = watchPlacement(stage, observer, stream, sinceT0, ended.signal);
  const end = await untilEnd(options, { thresholds, stops }, sinceT0, event).finally(() => {
    release();
    ended.abort();
  });
  await placed;

  const unhealed = await chaos.healAll(end.kind === 'complete' ? 'the load has ended' : `the run was ${end.kind}`);
  for (const what of unhealed) stream.event({ tUs: sinceT0(), type: 'message', level: 'error', text: `not healed: ${what}` });
  if (end.kind !== 'interrupted' && end.kind !== 'failed') {
    await waitUntilWhole(options, observer, sinceT0);
    await observer.endProbes();
    await verify();
  }
  await observer.endProbes();
  await recordProof(stage, observer, chaos.shortfalls(), stream, sinceT0);
  await recordFinalTarget(stage, stream, sinceT0);
  const keysAfter = await countKeys(stage);
  if (keysAfter) stream.event({ tUs: sinceT0(), type: 'keys', ...keysAfter });
  event({ state: 'end' });
  isOver = true;
  return end;
}

function lagOption({ replicationLag, load }: Plan): Pick<ObserverOptions, 'lag'> {
  return replicationLag === undefined ? {} : { lag: { prefix: load.workload.keys.prefix, everyUs: replicationLag.everyUs } };
}

/** Listens from now on for what the verification has to know. Returns the step that reads everything back, which never throws. */
function prepareVerification(options: PerformanceOptions, t0Us: number): () => Promise<void> {
  const { plan, stage, stream, progress, folder, interrupted } = options;
  const memory = stage.load.ledger;
  if (memory === null) return async () => {};
  const losses = new ServerLosses();
  const faultTimes = new FaultTimesCollector();
  stream.add(losses);
  stream.add({ interval: () => {}, event: (event) => faultTimes.event(event) });
  return async () => {
    try {
      const record = await verifyRun({
        plan,
        memory,
        target: stage.target,
        shardOfSlot: stage.load.shardOfSlot,
        faults: faultTimes.list(),
        losses,
        t0Us,
        folder,
        signal: interrupted,
        onProgress: (done, total) => progress.waitingFor(`reading back ${formatCount(done)} of ${formatCount(total)} keys`),
      });
      stream.event({ tUs: monotonicUs() - t0Us, type: 'consistency', ...record });
    } catch (error) {
      stream.event({ tUs: monotonicUs() - t0Us, type: 'message', level: 'error', text: verificationFailed(error) });
    }
  };
}

/** Waits for the load's own end, the first interrupt or a threshold that aborts; then no operation is open any more. */
async function untilEnd(
  options: PerformanceOptions,
  { thresholds, stops }: { thresholds: LiveThresholds; stops: StopConditions },
  sinceT0: () => number,
  event: (record: Omit<Extract<EventRecord, { type: 'run' }>, 'tUs' | 'type'>) => void,
): Promise<PerformanceEnd> {
  const { stage, plan, interrupted } = options;
  const finished = stage.load.finished
    .then((): PerformanceEnd => ({ kind: 'complete' }))
    .catch((error: unknown): PerformanceEnd => ({ kind: 'failed', error }));
  const stopWatching = new AbortController();
  const breached = watchThresholds(plan, thresholds, sinceT0, stopWatching.signal);
  const stopped = watchStops(plan, stops, stopWatching.signal);
  const interrupt = new Promise<PerformanceEnd>((resolve) => {
    const onAbort = (): void => resolve({ kind: 'interrupted', by: options.interruptedBy() ?? 'signal' });
    if (interrupted.aborted) onAbort();
    else interrupted.addEventListener('abort', onAbort, { once: true });
  });
  const end = await Promise.race([finished, breached, stopped, interrupt]);
  stopWatching.abort();
  if (end.kind === 'interrupted') event({ state: 'interrupted', detail: end.by });
  if (end.kind === 'aborted' || end.kind === 'stopped') event({ state: end.kind, detail: end.by });
  if (end.kind === 'interrupted' || end.kind === 'aborted' || end.kind === 'stopped') {
    stage.load.stop('now');
    const ended = await finished;
    if (ended.kind === 'failed') return ended;
  }
  if (end.kind === 'failed') options.stream.event({ tUs: sinceT0(), type: 'message', level: 'error', text: messageOf(end.error) });
  return end;
}

/** Resolves when a threshold with `abortOnFail` has failed; never when there is none. */
async function watchThresholds(plan: Plan, thresholds: LiveThresholds, sinceT0: () => number, stop: AbortSignal): Promise<PerformanceEnd> {
  if (!plan.thresholds.some((threshold) => threshold.abortOnFail)) return new Promise(() => undefined);
  while (!stop.aborted) {
    await sleepUs(200_000, stop);
    const failed = thresholds.breached(sinceT0());
    if (failed) return { kind: 'aborted', by: `${failed.metric} ${failed.expression}` };
  }
  return new Promise(() => undefined);
}

/** Resolves when a stop condition has held for its time; never when there is none. */
async function watchStops(plan: Plan, stops: StopConditions, stop: AbortSignal): Promise<PerformanceEnd> {
  if (!plan.safety || plan.safety.stop.length === 0) return new Promise(() => undefined);
  while (!stop.aborted) {
    await sleepUs(200_000, stop);
    const reached = stops.reached();
    if (reached) return { kind: 'stopped', by: reached.text };
  }
  return new Promise(() => undefined);
}

/** Everything else on the timeline comes from where it happens; that t0 has come happens here. */
async function announceStart(t0Us: number, stream: RecordStream, stop: AbortSignal): Promise<void> {
  await sleepUs(Math.max(0, t0Us - monotonicUs()), stop);
  if (!stop.aborted) stream.event({ tUs: 0, type: 'run', state: 't0' });
}

/** After healing: until every node that should run answers and every replica is in sync, so that the milestones can be complete. */
async function waitUntilWhole(options: PerformanceOptions, observer: Observer, sinceT0: () => number): Promise<void> {
  const { stage, stream, progress, interrupted } = options;
  const startedUs = monotonicUs();
  for (;;) {
    const missing = observer.view().nodes.filter((node) => {
      if (stage.target.processes && !stage.target.processes.isRunning(node.id)) return false;
      if (!node.reachable || node.role === 'unknown') return true;
      // An old master that sentinels have replaced says master until they make it a replica.
      const isReplaced = node.role === 'master' && node.slots.length === 0 && stage.target.mode === 'sentinel';
      return isReplaced || (node.role === 'replica' && !node.inSync);
    });
    if (missing.length === 0 || interrupted.aborted) return;
    const names = missing.map((node) => node.id).join(', ');
    if (monotonicUs() - startedUs > RECOVERY_LIMIT_US) {
      stream.event({
        tUs: sinceT0(),
        type: 'message',
        level: 'warning',
        text: `after ${RECOVERY_LIMIT_US / 1_000_000} s still not in sync or not reachable: ${names}`,
      });
      return;
    }
    progress.waitingFor(`waiting until ${names} ${missing.length === 1 ? 'is' : 'are'} in sync`);
    await sleepUs(RECOVERY_LOOK_EVERY_US, interrupted);
  }
}

async function recordProof(
  { target, proxies }: Stage,
  observer: Observer,
  shortfalls: string[],
  stream: RecordStream,
  sinceT0: () => number,
): Promise<void> {
  const { mode, processes } = target;
  const look = (): Promise<Proof> => proveWhole({ mode, view: observer.view(), processes, proxies, removed: new Set(), shortfalls });
  const limitUs = monotonicUs() + PROOF_LIMIT_US;
  let { holds, missing } = await look();
  // The work of reading everything back can have kept this process, and on a small machine the servers, from answering for a moment.
  while (missing.length > shortfalls.length && monotonicUs() < limitUs) {
    await sleepUs(RECOVERY_LOOK_EVERY_US);
    ({ holds, missing } = await look());
  }
  stream.event({ tUs: sinceT0(), type: 'proof', holds, missing });
}

async function recordFinalTarget(stage: Stage, stream: RecordStream, sinceT0: () => number): Promise<void> {
  try {
    const view = await stage.target.currentView();
    const nodes = view.nodes.map((node) => ({
      id: node.id,
      role: node.role,
      address: node.address,
      shard: node.shard,
      slots: node.slots.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)),
      masterId: node.masterId,
    }));
    stream.event({ tUs: sinceT0(), type: 'target', nodes, keysPerNode: await stage.target.keysPerNode() });
  } catch (error) {
    stream.event({ tUs: sinceT0(), type: 'message', level: 'warning', text: `the target's final state could not be read: ${messageOf(error)}` });
  }
}
