/**
 * Incidents: outages nobody scheduled, told by their effects (a server that left, a promotion, a gap) and grouped into happenings.
 * Pure; called by summarize.ts, which then follows each through the milestones of a fault.
 */
import type { EventRecord, GeneratorSample, NodeRef, RunTargetRecord } from '../result/records.js';
import { causeOf, type FaultTimes } from './faultTimes.js';
import type { GapUs } from './gaps.js';
import type { IncidentSubject } from './milestoneTracker.js';

/** Effects on one shard this close to each other are one incident; with slow detection (a long node timeout) the gap bridges them. */
const GROUP_US = 5_000_000;
/** A promotion ends its incident; an old master's return soon after belongs to it. */
const CLUSTER_TIMEOUT_FACTOR = 2;
/** A short gap in a second in which the generator's own event loop stood still for as long is the generator's, not the store's. */
const GENERATOR_STALL_SHARE = 0.5;
const GENERATOR_STALL_MAX_US = 1_000_000;

export type IncidentKind = 'process exit' | 'failover' | 'outage';

interface Effect {
  kind: IncidentKind;
  startUs: number;
  endUs: number;
  shard: number | null;
  nodes: NodeRef[];
  gap: GapUs | null;
}

export interface GeneratorStall {
  /** The second before it. */
  atUs: number;
  eventLoopDelayP99Us: number;
}

export interface IncidentInput {
  events: readonly EventRecord[];
  gaps: readonly GapUs[];
  faults: readonly FaultTimes[];
  target: RunTargetRecord | null;
  stalls: readonly GeneratorStall[];
}

/** Incidents by their beginning, numbered from 1. */
export function findIncidents(input: IncidentInput): IncidentSubject[] {
  const effects = [...topologyEffects(input), ...gapEffects(input)].sort((a, b) => a.startUs - b.startUs);
  const groupUs = Math.max(GROUP_US, (input.target?.clusterNodeTimeoutMs ?? 0) * 1000 * CLUSTER_TIMEOUT_FACTOR);
  const groups: Effect[][] = [];
  for (const effect of effects) {
    const group = groups.find((members) => members.some((member) => belongTogether(member, effect, groupUs)));
    if (group) group.push(effect);
    else groups.push([effect]);
  }
  return groups.map((group, i) => subjectOf(i + 1, group)).sort((a, b) => a.beganUs - b.beganUs);
}

/** Where a sample of the generator shows that it stood still itself. */
export function stallOf(atUs: number, sample: GeneratorSample): GeneratorStall {
  return { atUs, eventLoopDelayP99Us: sample.eventLoopDelayP99Us };
}

/** The exits of servers that no fault meant, with the shard they served. */
export function unexpectedExits(events: readonly EventRecord[], target: RunTargetRecord | null): { shard: number; atUs: number; node: string }[] {
  const roles = new RoleBook(target);
  const exits: { shard: number; atUs: number; node: string }[] = [];
  for (const event of events) {
    if (event.type === 'role') roles.see(event.node, event.role, event.shard);
    if (event.type !== 'process' || event.state !== 'exited' || event.byFault !== null) continue;
    const { shard } = roles.ref(event.node);
    if (shard !== null && !loadIsOver(events, event.tUs)) exits.push({ shard, atUs: event.tUs, node: event.node });
  }
  return exits;
}

/** Exits and promotions that no fault explains. */
function topologyEffects({ events, faults, target }: IncidentInput): Effect[] {
  const roles = new RoleBook(target);
  const effects: Effect[] = [];
  for (const event of events) {
    if (event.type === 'process' && event.state === 'exited' && event.byFault === null && !loadIsOver(events, event.tUs)) {
      const node = roles.ref(event.node);
      effects.push({ kind: 'process exit', startUs: event.tUs, endUs: event.tUs, shard: node.shard, nodes: [node], gap: null });
    }
    if (event.type !== 'role') continue;
    const before = roles.masterOf(event.shard);
    const promotion = event.role === 'master' && event.shard !== null && before !== null && before !== event.node;
    if (promotion && !explained(event.shard as number, event.tUs, faults)) {
      const old = roles.ref(before);
      effects.push({ kind: 'failover', startUs: event.tUs, endUs: event.tUs, shard: event.shard, nodes: [{ ...old, role: 'master' }], gap: null });
    }
    roles.see(event.node, event.role, event.shard);
  }
  return effects;
}

/** Own shard only: a promotion elsewhere is not what a fault does to its neighbours. */
function explained(shard: number, atUs: number, faults: readonly FaultTimes[]): boolean {
  const cause = causeOf(shard, atUs, atUs, faults);
  return cause.faultId !== null && !cause.collateral;
}

function gapEffects({ gaps, target, stalls }: IncidentInput): Effect[] {
  return gaps
    .filter((gap) => typeof gap.shard === 'number' && gap.faultId === null && !ofTheGenerator(gap, stalls))
    .map((gap) => {
      const shard = gap.shard as number;
      const master = target?.nodes.find((node) => node.shard === shard && node.role === 'master');
      const nodes: NodeRef[] = [{ node: master?.id ?? '?', shard, role: 'master' }];
      return { kind: 'outage', startUs: gap.startUs, endUs: gap.endUs, shard, nodes, gap };
    });
}

function ofTheGenerator(gap: GapUs, stalls: readonly GeneratorStall[]): boolean {
  const durationUs = gap.endUs - gap.startUs;
  if (durationUs > GENERATOR_STALL_MAX_US) return false;
  if (gap.unexplainedUs === 0) return true;
  return stalls.some(
    (stall) =>
      stall.eventLoopDelayP99Us >= durationUs * GENERATOR_STALL_SHARE && stall.atUs >= gap.startUs - 1_000_000 && stall.atUs <= gap.endUs + 2_000_000,
  );
}

function belongTogether(a: Effect, b: Effect, groupUs: number): boolean {
  const sameShard = a.shard !== null && a.shard === b.shard;
  const slackUs = sameShard ? groupUs : 0;
  return b.startUs <= a.endUs + slackUs && a.startUs <= b.endUs + slackUs;
}

function subjectOf(id: number, effects: readonly Effect[]): IncidentSubject {
  const exits = effects.filter((effect) => effect.kind === 'process exit');
  const failovers = effects.filter((effect) => effect.kind === 'failover');
  const causes = exits.length > 0 ? exits : failovers.length > 0 ? failovers : effects;
  const targets = new Map(causes.flatMap((effect) => effect.nodes).map((node) => [node.node, node]));
  const shards = new Set([...targets.values()].map((node) => node.shard));
  const gaps = effects.flatMap(({ gap }) => (gap && shards.has(gap.shard as number) ? [gap] : []));
  const last = gaps.reduce<GapUs | null>((latest, gap) => (latest === null || gap.endUs > latest.endUs ? gap : latest), null);
  return {
    id,
    kind: (causes[0] as Effect).kind,
    beganUs: Math.min(...effects.map((effect) => effect.startUs)),
    targets: [...targets.values()],
    recovery: { hadGap: last !== null, recoveredUs: last?.endedBySuccess ? last.endUs : null },
  };
}

/** After the load a lab is taken down: servers that leave then are no incident. */
function loadIsOver(events: readonly EventRecord[], atUs: number): boolean {
  return events.some((event) => event.type === 'run' && event.state === 'loadEnd' && event.tUs <= atUs);
}

/** Who is who, as last seen. */
class RoleBook {
  readonly #nodes = new Map<string, NodeRef>();

  constructor(target: RunTargetRecord | null) {
    for (const node of target?.nodes ?? []) this.#nodes.set(node.id, { node: node.id, shard: node.shard, role: node.role });
  }

  see(node: string, role: NodeRef['role'], shard: number | null): void {
    if (role === 'master' && shard !== null) {
      for (const other of this.#nodes.values()) if (other.shard === shard && other.role === 'master') other.role = 'replica';
    }
    this.#nodes.set(node, { node, role, shard: shard ?? this.#nodes.get(node)?.shard ?? null });
  }

  masterOf(shard: number | null): string | null {
    if (shard === null) return null;
    for (const node of this.#nodes.values()) if (node.shard === shard && node.role === 'master') return node.node;
    return null;
  }

  ref(node: string): NodeRef {
    return { ...(this.#nodes.get(node) ?? { node, shard: null, role: 'unknown' as const }) };
  }
}
