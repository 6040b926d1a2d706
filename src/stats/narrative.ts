/**
 * The one sentence a person reads first, and the advice below it. Composed from the summary's own numbers, so that it can never say
 * what the tables don't. Pure; called by summarize.ts.
 */
import { formatCount, formatPercent, formatSeconds, formatUs } from '../base/units.js';
import type { RunRecord } from '../result/records.js';
import type { FaultSummary, Gap, Summary, WindowSummary } from '../result/summary.js';
import { lossClause } from './consistencySummary.js';
import { type Outage, outageParts, worstOutage } from './outage.js';
import type { RunEnd } from './runEnd.js';

export interface Story {
  summary: Omit<Summary, 'sentence' | 'advice'>;
  run: RunRecord;
  end: RunEnd;
}

/** p99 has to rise by this much, and by a millisecond, to be told. */
const P99_ROSE_FACTOR = 1.25;
const P99_ROSE_US = 1000;
/** Faults whose victims answer at once, with an error or a refused connection. */
const refusingKinds = new Set(['kill', 'restart', 'process exit']);
const healWords: Readonly<Record<string, string>> = {
  kill: 'until it was started again',
  restart: 'until it was up again',
  pause: 'paused',
  toxic: 'until the toxics were gone',
};

/** Without a full stop at its end. */
export function sentenceOf(story: Story): string {
  const { summary, end } = story;
  const at = formatSeconds(summary.durationMs);
  const lead = {
    finished: '',
    interrupted: `Interrupted after ${at}: `,
    aborted: `Stopped after ${at} by ${end.detail ?? 'a threshold'}: `,
    stopped: `Stopped after ${at} by ${end.detail ?? 'a stop condition'}: `,
    cutOff: `Cut off after ${at}: `,
    failed: `Ended early after ${at}${end.detail === null ? '' : ` (${end.detail})`}: `,
  }[end.kind];
  const body = happening(story);
  const saturated = summary.generator.saturated ? '. The load generator was saturated: these are its figures, not the store’s' : '';
  const losses = lossClause(summary.consistency);
  const lost = losses === null ? '' : `. ${upperFirst(losses)}`;
  return `${lead}${lead === '' ? body : lowerFirst(body)}${lost}${saturated}`;
}

function happening(story: Story): string {
  const { faults, incidents } = story.summary;
  const injected = faults.filter((fault) => fault.injectedAtMs !== null);
  const outage = worstOutage(story.summary);
  if (outage) return outageSentence(outage, injected, story);
  const silent = injected.filter((fault) => fault.status !== 'skipped');
  if (silent.length > 0) return gaplessSentence(silent, story);
  const first = incidents[0];
  if (first) return `Nobody scheduled it: ${incidentCause(first)}, and no shard stopped answering for it`;
  const failed = faults.find((fault) => fault.status === 'failed');
  if (failed) return `Fault ${failed.id} (${failed.kind}) could not be injected${failed.message === null ? '' : `: ${failed.message}`}`;
  return nothingHappened(story);
}

/** "Shard 0 refused writes for 3.46 s: 2.61 detection + 0.76 election + 0.09 client; the others 0.76 s of CLUSTERDOWN, full coverage". */
function outageSentence(outage: Outage, injected: readonly FaultSummary[], story: Story): string {
  const { fault, gap, isIncident } = outage;
  const verb = refusingKinds.has(fault.kind) ? 'refused' : 'answered no';
  const core = `${shardName(gap, story)} ${verb} ${gap.kind}s for ${formatSeconds(gap.durationMs)}`;
  const parts = outageParts(outage);
  const [only] = parts.length === 1 ? parts : [];
  const split =
    only?.name === 'heal'
      ? ` ${untilHealed(fault)}`
      : parts.length > 0
        ? `: ${parts.map(({ name, ms }) => `${(ms / 1000).toFixed(2)} ${partName(name, fault)}`).join(' + ')}`
        : fault.clientRecoveredMs === null
          ? ', to the end of the run'
          : '';
  const told = `${core}${split}${others(outage, story)}`;
  const more = story.summary.incidents.length;
  if (isIncident) return `Nobody scheduled it: ${incidentCause(fault)}; ${lowerFirst(told)}${more > 1 ? `; ${more} incidents in all` : ''}`;
  const besides = more === 0 ? '' : `; and ${more} ${more === 1 ? 'incident' : 'incidents'} nobody scheduled`;
  if (injected.length <= 1) return `${told}${besides}`;
  return `${injected.length} faults; the longest outage was that of fault ${fault.id} (${faultLabel(fault)}): ${lowerFirst(told)}${besides}`;
}

function partName(name: string, fault: FaultSummary): string {
  return name === 'heal' ? (healWords[fault.kind] ?? 'until it was healed') : name;
}

function untilHealed(fault: FaultSummary): string {
  if (fault.kind === 'pause') return `while ${fault.targets.map((target) => target.node).join(', ')} was paused`;
  return partName('heal', fault);
}

/** What the shards felt that were not hit. */
function others({ fault, gap, isIncident }: Outage, { summary, run }: Story): string {
  const shardCount = new Set(run.target?.nodes.flatMap((node) => (node.shard === null ? [] : [node.shard]))).size;
  if (shardCount < 2) return '';
  const hit = new Set(fault.targets.map((target) => target.shard));
  const suffered = summary.availability.gaps.filter(
    (other) =>
      typeof other.shard === 'number' &&
      !hit.has(other.shard) &&
      other.kind === gap.kind &&
      (isIncident ? other.faultId === null && other.startMs < gap.endMs && other.endMs > gap.startMs : other.faultId === fault.id),
  );
  const longest = suffered.reduce<Gap | null>((worst, other) => (worst === null || other.durationMs > worst.durationMs ? other : worst), null);
  if (!longest) return hit.size < shardCount ? '; the other shards went on' : '';
  const byReason = isIncident ? summary.ops.byReason : (windowOf(summary, fault.id, 'fault')?.ops.byReason ?? {});
  if (!byReason.CLUSTERDOWN) return `; the others up to ${formatSeconds(longest.durationMs)}`;
  return `; the others ${formatSeconds(longest.durationMs)} of CLUSTERDOWN${run.target?.fullCoverage === true ? ', full coverage' : ''}`;
}

function gaplessSentence(faults: readonly FaultSummary[], { summary }: Story): string {
  const told = faults.map((fault) => {
    const before = windowOf(summary, fault.id, 'before')?.latencyUs.all?.p99 ?? summary.latencyUs.all?.p99 ?? null;
    const during = windowOf(summary, fault.id, 'fault');
    const p99 = during?.latencyUs.all?.p99 ?? null;
    const notOk = during === undefined ? 0 : during.ops.total - during.ops.ok;
    const rose = before !== null && p99 !== null && p99 > before * P99_ROSE_FACTOR + P99_ROSE_US;
    const latency = rose ? `p99 rose from ${formatUs(before)} to ${formatUs(p99)}` : `p99 stayed at ${formatUs(p99 ?? before)}`;
    const errors = notOk === 0 ? 'no operation failed' : `${formatCount(notOk)} operations failed (${reasonsOf(during?.ops.byReason ?? {})})`;
    return { fault, rise: rose ? p99 / Math.max(1, before) : 0, text: `${faultLabel(fault)}: ${latency}, no shard stopped answering, ${errors}` };
  });
  const worst = told.reduce((a, b) => (b.rise > a.rise ? b : a));
  return faults.length === 1 ? upperFirst(worst.text) : `${faults.length} faults and no outage; felt most was fault ${worst.fault.id}, ${worst.text}`;
}

function nothingHappened({ summary }: Story): string {
  const { ops, throughputOpsPerSec, latencyUs, availability } = summary;
  if (ops.total === 0) return 'No operation was recorded';
  const notOk = ops.total - ops.ok;
  const gap = availability.gaps.find(({ shard }) => shard === 'any');
  const core = `${formatCount(ops.total)} operations at ${formatCount(throughputOpsPerSec)}/s, p99 ${formatUs(latencyUs.all?.p99 ?? null)}`;
  const errors = notOk === 0 ? 'none failed' : `${formatCount(notOk)} failed (${reasonsOf(ops.byReason)})`;
  if (gap) return `No outage but a short silence of ${formatSeconds(gap.durationMs)} that fits a stall of the load generator: ${core}, ${errors}`;
  return notOk === 0 && lossClause(summary.consistency) === null ? `Nothing went wrong: ${core}, ${errors}` : `No outage: ${core}, ${errors}`;
}

/** The setting that dominates the worst outage, and the command that tries another value; null when none does. */
export function adviceOf(story: Story): string | null {
  const { summary, run } = story;
  const outage = worstOutage(summary);
  if (!outage) return null;
  const parts = outageParts(outage);
  const share = (name: string): number => (parts.find((part) => part.name === name)?.ms ?? 0) / outage.gap.durationMs;
  const nodeTimeoutMs = run.target?.clusterNodeTimeoutMs ?? null;
  if (share('detection') >= 0.5 && nodeTimeoutMs !== null && nodeTimeoutMs > 500) {
    const lower = Math.max(500, Math.round(nodeTimeoutMs / 2));
    return `Detection took ${percent(share('detection'))} of it: cluster-node-timeout ${nodeTimeoutMs} ms. ${tryConfig(run, 'cluster-node-timeout', String(lower))}`;
  }
  const { sentinel } = run.target ?? {};
  if (share('detection') >= 0.5 && sentinel !== undefined && sentinel.downAfterMs > 500) {
    const lowerMs = Math.max(500, Math.round(sentinel.downAfterMs / 2));
    const how =
      run.plan.target.kind === 'external'
        ? `Try on its sentinels: SENTINEL SET ${sentinel.masterName} down-after-milliseconds ${lowerMs}, and run again`
        : trySet(run, `target.downAfter=${lowerMs}ms`);
    return `Detection took ${percent(share('detection'))} of it: down-after ${sentinel.downAfterMs} ms. ${how}`;
  }
  if (others(outage, story).includes('full coverage')) {
    return `The other shards were refused because of cluster-require-full-coverage yes. ${tryConfig(run, 'cluster-require-full-coverage', 'no')}`;
  }
  const { target } = run.plan;
  if (share('heal') >= 0.5 && target.kind === 'lab' && target.topology === 'replicated' && target.replicasPerMaster > 0) {
    return `Nobody watches this master: its replicas wait until it is back. ${trySet(run, 'target.topology=sentinel')}`;
  }
  if (share('heal') >= 0.5 && target.kind === 'lab' && target.topology === 'cluster' && target.replicasPerMaster === 0) {
    return `Nothing could take over: the shard has no replica. ${trySet(run, 'target.replicasPerMaster=1')}`;
  }
  return null;
}

function tryConfig(run: RunRecord, name: string, value: string): string {
  if (run.plan.target.kind === 'external') return `Try on its servers: CONFIG SET ${name} ${value}, and run again`;
  return trySet(run, `target.config.${name}=${value}`);
}

function trySet(run: RunRecord, assignment: string): string {
  const profile = run.argv.find((argument) => /\.ya?ml$/.test(argument) && !argument.startsWith('-'));
  return `Try: kvbench run ${profile ?? `profiles/${run.name}.yaml`} --set ${assignment}`;
}

function windowOf(summary: Story['summary'], faultId: number, name: WindowSummary['name']): WindowSummary | undefined {
  return summary.windows.find((window) => window.faultId === faultId && window.name === name);
}

function shardName(gap: Gap, { run }: Story): string {
  const servers = (run.target?.nodes ?? []).filter((node) => node.shard !== null);
  const shards = new Set(servers.map((node) => node.shard));
  if (shards.size > 1) return `Shard ${gap.shard}`;
  return servers.length > 1 ? 'The master' : 'The server';
}

function incidentCause(incident: FaultSummary): string {
  const nodes = incident.targets.map((target) => target.node).join(', ');
  const at = formatSeconds(incident.processGoneMs ?? incident.promotedMs ?? incident.injectedAtMs ?? 0);
  if (incident.kind === 'process exit') return `${nodes} left at ${at}`;
  if (incident.kind === 'failover') return `${nodes} lost its master’s role at ${at}`;
  return `an outage at ${at}`;
}

function faultLabel(fault: FaultSummary): string {
  const nodes = fault.targets.map((target) => target.node);
  return nodes.length === 0 ? fault.kind : `${fault.kind} of ${nodes.length > 3 ? `${nodes.length} nodes` : nodes.join(', ')}`;
}

function reasonsOf(byReason: Readonly<Record<string, number>>): string {
  const entries = Object.entries(byReason);
  const shown = entries.slice(0, 3).map(([reason, count]) => `${formatCount(count)} ${reason}`);
  return entries.length > 3 ? `${shown.join(', ')}, …` : shown.join(', ') || 'reason unknown';
}

function percent(share: number): string {
  return formatPercent(share).replace(/\.\d+/, '');
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
