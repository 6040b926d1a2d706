/**
 * Watches the nodes of a target during a run: their logs (in a lab), and what they say when asked, ten times a second of roles and once
 * a second of themselves. Started by `cli/run` with t0 fixed; writes events to the run's sink and holds the latest view for faults. It
 * must never touch the load, the nodes' data (but for the markers of the lag probe) or their processes, and never fail a run: a node it can't reach is an event.
 *
 * How fine it sees: log events carry the server's own stamp (1 ms), placed on the run's clock; polled events are up to `resolutionUs`
 * late, usually 100 ms. A promotion's time is therefore that of the `promoted` log event where there is a log, and the first `role`
 * event that says master elsewhere. `lag` and `clock`, where they are asked for, are the work of lagAndClocks.ts, which
 * write a marker of their own on the masters: the one thing here that does. `log` is what the server wrote (see logLines.ts), `reachable` whether a node answers within 300 ms;
 * `server` what it says of its load (see ServerSample); the other events are described in topologyTracker.ts.
 */
import { monotonicUs, sleepUs, wallClockMs } from '../base/clock.js';
import type { EventRecord, LogKind, RunSink } from '../result/records.js';
import type { Target, TargetMode, TargetNode, TopologyView } from '../topology/target.js';
import { LagAndClocks } from './lagAndClocks.js';
import { type LogMeaning, meaningOf, parseLogLine } from './logLines.js';
import { LogTail, type TailedLines } from './logTail.js';
import { NodeProbe, POLL_INTERVAL_US, type ProbeQuestions, REPLY_LIMIT_US } from './nodeProbe.js';
import { SentinelWatch } from './sentinelWatch.js';
import { SAMPLE_INTERVAL_US, ServerSampler } from './serverSamples.js';
import { TopologyTracker } from './topologyTracker.js';
import { WallOffset } from './wallOffset.js';

/** The same warning of the same node is told again after this time only. */
const REPEATED_WARNING_US = 1_000_000;
const LOG_TEXT_CHARS_MAX = 300;
const TICKS_PER_SAMPLE = SAMPLE_INTERVAL_US / POLL_INTERVAL_US;

export interface ObserverOptions {
  target: Target;
  sink: RunSink;
  /** Machine monotonic µs. */
  t0Us: number;
  /** Absent: the lag of replicas is not measured. `prefix`: of the run's keys. */
  lag?: { prefix: string; everyUs: number };
  /** Aborted: the observer stops. */
  signal?: AbortSignal;
}

export interface Observer {
  /** The latest view, not older than about 100 ms (300 ms of a node that does not answer). */
  view(): TopologyView;
  /** Ends what asks for more than a look: the lag probe removes its markers. Never throws, safe to call twice; `stop` does it too. */
  endProbes(): Promise<void>;
  /** Delivers what is left in the logs, then lets go of everything. Safe to call twice; nothing is reported afterwards. */
  stop(): Promise<void>;
}

/** Resolves once every node was asked twice (or found unreachable) and the initial roles and replicas are told. Does not throw for the nodes' sake. */
export async function startObserver(options: ObserverOptions): Promise<Observer> {
  const watch = new Watch(options);
  options.signal?.addEventListener('abort', () => void watch.stop(), { once: true });
  if (options.signal?.aborted) await watch.stop();
  await watch.start();
  return watch;
}

function questionsFor(mode: TargetMode, watches: string | undefined): ProbeQuestions {
  if (watches !== undefined) return { of: 'sentinel', masterName: watches };
  return { of: mode === 'cluster' ? 'clusterNode' : 'server' };
}

class Watch implements Observer {
  readonly #sink: RunSink;
  readonly #t0Us: number;
  readonly #target: Target;
  readonly #tracker: TopologyTracker;
  readonly #probes: NodeProbe[] = [];
  readonly #probeOf = new Map<string, NodeProbe>();
  readonly #samplers: ServerSampler[] = [];
  readonly #samplerOf = new Map<string, ServerSampler>();
  readonly #sentinels: SentinelWatch[] = [];
  readonly #lag: LagAndClocks | null;
  readonly #wallOffset = new WallOffset();
  readonly #toldRefusals = new Set<string>();
  readonly #toldWarnings = new Map<string, number>();
  #tails: LogTail[] = [];
  #tickCount = 0;
  #timer: NodeJS.Timeout | null = null;
  #answeredUs = monotonicUs();
  #stopping: Promise<void> | null = null;

  constructor({ target, sink, t0Us, lag }: ObserverOptions) {
    this.#sink = sink;
    this.#t0Us = t0Us;
    this.#target = target;
    this.#tracker = new TopologyTracker(target, (event) => this.#emit(event));
    const emit = (event: EventRecord): void => this.#emit(event);
    this.#lag = lag === undefined ? null : new LagAndClocks({ target, tracker: this.#tracker, ...lag, t0Us, emit });
    for (const node of target.nodes) this.#follow(node);
    target.growth?.onChange(({ node, state }) => {
      if (this.#stopping) return;
      if (state === 'retired') this.#leave(node.id);
      else void this.#welcome(node);
    });
  }

  endProbes(): Promise<void> {
    return this.#lag?.end() ?? Promise.resolve();
  }

  view(): TopologyView {
    return { atUs: this.#answeredUs, nodes: this.#tracker.nodes };
  }

  #follow({ id, watches, logFile }: TargetNode): void {
    const target = this.#target;
    const probe = new NodeProbe(id, () => target.control(id), questionsFor(target.mode, watches), {
      answer: (nodeId, answer) => {
        this.#answeredUs = answer.atUs;
        if (answer.refusal !== null) this.#noteRefusal(nodeId, answer.refusal, answer.atUs);
        this.#tracker.answered(nodeId, answer);
      },
      reachable: (nodeId, { reachable, atUs, sinceUs, reason }) => {
        this.#emit({ tUs: atUs, type: 'reachable', node: nodeId, reachable, resolutionUs: sinceUs, reason });
        if (!reachable) this.#tracker.unreachable(nodeId, atUs, sinceUs);
      },
    });
    this.#probes.push(probe);
    this.#probeOf.set(id, probe);
    if (watches !== undefined) {
      if (logFile === null)
        this.#sentinels.push(
          new SentinelWatch(
            () => target.control(id),
            watches,
            (text, atUs) => this.#takeEvent(id, text, atUs),
          ),
        );
      return;
    }
    const sampler = new ServerSampler(
      () => target.control(id),
      (sample, atUs) => this.#emit({ tUs: atUs, type: 'server', node: id, sample }),
    );
    this.#samplers.push(sampler);
    this.#samplerOf.set(id, sampler);
  }

  /** A node that came during the run: asked from now on, and its log read. */
  async #welcome(node: TargetNode): Promise<void> {
    this.#tracker.add(node);
    this.#follow(node);
    if (node.logFile === null) return;
    const tail = await LogTail.open(node.logFile);
    if (this.#stopping) return tail.stop();
    this.#tails.push(tail);
    tail.listen((lines) => this.#takeLines(node.id, lines));
  }

  /** A node that left for good; its log is read to the end of the run, since its last words come late. */
  #leave(nodeId: string): void {
    const probe = this.#probeOf.get(nodeId);
    const sampler = this.#samplerOf.get(nodeId);
    probe?.stop();
    sampler?.stop();
    if (probe) this.#probes.splice(this.#probes.indexOf(probe), 1);
    if (sampler) this.#samplers.splice(this.#samplers.indexOf(sampler), 1);
    this.#tracker.remove(nodeId, monotonicUs());
  }

  async start(): Promise<void> {
    if (this.#stopping) return;
    const logs = this.#target.nodes.filter((node) => node.logFile !== null);
    const tails = await Promise.all(logs.map((node) => LogTail.open(node.logFile ?? '')));
    this.#tails = tails;
    if (this.#stopping) {
      await Promise.all(tails.map((tail) => tail.stop()));
      return;
    }
    this.#tick();
    await Promise.all([...this.#probes, ...this.#sentinels].map(({ settled }) => settled));
    // A replica is in sync by two polls of its master; without the second one every run would begin with none.
    for (let waitedUs = 0; waitedUs < REPLY_LIMIT_US && !this.#stopping; waitedUs += POLL_INTERVAL_US / 2) {
      if (this.#probes.every((probe) => probe.answerCount !== 1)) break;
      await sleepUs(POLL_INTERVAL_US / 2);
    }
    if (this.#stopping) return;
    this.#tracker.begin(monotonicUs());
    this.#lag?.start();
    // Lines wait in the files until the nodes' cluster ids are known.
    tails.forEach((tail, i) => {
      tail.listen((lines) => this.#takeLines(logs[i]?.id ?? '', lines));
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.endProbes();
    for (const probe of this.#probes) probe.stop();
    for (const sampler of this.#samplers) sampler.stop();
    for (const sentinel of this.#sentinels) sentinel.stop();
    await Promise.all(this.#tails.map((tail) => tail.stop()));
  }

  /** All probes, every 100 ms, whatever becomes of any of them. */
  #tick(): void {
    if (this.#stopping) return;
    this.#timer = setTimeout(() => this.#tick(), POLL_INTERVAL_US / 1000);
    this.#wallOffset.sample();
    // After the turn's input: an answer that lay in the socket while this thread was busy must not count as missing.
    setImmediate(() => {
      for (const probe of this.#probes) probe.tick();
      // One node after the other, so that their long answers don't come all at once.
      this.#samplers.forEach((sampler, i) => {
        if (i % TICKS_PER_SAMPLE === this.#tickCount % TICKS_PER_SAMPLE) sampler.tick();
      });
      this.#tickCount++;
    });
  }

  #takeLines(node: string, { lines, readAtUs, unseenAtUs }: TailedLines): void {
    const nowMs = wallClockMs();
    for (const text of lines) {
      const line = parseLogLine(text, nowMs);
      const meaning = line && meaningOf(line.text);
      if (!line || !meaning) continue;
      if (meaning.log === 'warning' && this.#isRepeated(node, line.text, readAtUs)) continue;
      this.#tell(node, meaning, line.text, this.#wallOffset.placeUs(line.wallMs, readAtUs, unseenAtUs));
    }
  }

  /** What a sentinel said on a channel; its time is that of the arrival. */
  #takeEvent(node: string, text: string, atUs: number): void {
    const meaning = meaningOf(text);
    if (meaning && !this.#stopping) this.#tell(node, meaning, text, atUs);
  }

  #tell(node: string, { log, subject: name }: LogMeaning, text: string, tUs: number): void {
    const subject = name === null ? null : this.#tracker.nodeNamed(name);
    this.#emit({ tUs, type: 'log', node, log, subject, text: text.slice(0, LOG_TEXT_CHARS_MAX) });
    this.#noteTrouble(node, log, text, tUs);
  }

  /** What a person has to know to understand why sentinels did not do what they should. */
  #noteTrouble(node: string, log: LogKind, text: string, tUs: number): void {
    if (log !== 'tilt' && log !== 'failoverAborted') return;
    const what =
      log === 'tilt'
        ? 'is in TILT mode: it saw time jump (a stopped process, a busy machine) and acts on nothing for 30 s'
        : `gave up the failover (${text.split(' ')[0]}); it is tried again after twice the failover-timeout`;
    this.#emit({ tUs, type: 'message', level: 'warning', text: `${node} ${what}` });
  }

  /** Once per node: an ACL without INFO or CLUSTER leaves the milestones that hang on them unseen. A loading server only asks for time. */
  #noteRefusal(node: string, refusal: string, atUs: number): void {
    if (refusal.startsWith('LOADING') || this.#toldRefusals.has(node)) return;
    this.#toldRefusals.add(node);
    const text = `${node} refuses to be watched (${refusal}); allow its user INFO, CLUSTER NODES and CLUSTER INFO to see roles and replicas`;
    this.#emit({ tUs: atUs, type: 'message', level: 'warning', text });
  }

  #isRepeated(node: string, text: string, atUs: number): boolean {
    const key = `${node} ${text.replace(/\d+/g, '').slice(0, LOG_TEXT_CHARS_MAX)}`;
    const toldUs = this.#toldWarnings.get(key);
    if (toldUs !== undefined && atUs - toldUs < REPEATED_WARNING_US) return true;
    this.#toldWarnings.set(key, atUs);
    return false;
  }

  #emit(event: EventRecord): void {
    this.#sink.event({ ...event, tUs: event.tUs - this.#t0Us });
  }
}
