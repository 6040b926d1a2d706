/**
 * How far replicas lagged behind their masters, by the markers of the lag probe, and how far the nodes' clocks are apart. Called by
 * summarize.ts; `lagEventsByNode` also by the report. Pure. A marker belongs to the moment in which its master acknowledged it.
 */
import { hdrIndexOf } from '../base/hdrIndex.js';
import type { EventOf, EventRecord } from '../result/records.js';
import type { ClockSummary, ReplicaLagSummary } from '../result/summary.js';
import type { FaultTimes } from './faultTimes.js';
import { Counts } from './hdr.js';

interface Range {
  startUs: number;
  endUs: number;
}

type LagWindow = Range & Pick<ReplicaLagSummary['windows'][number], 'name' | 'faultId'>;

/** By replica, in the order in which they were heard first; null: lag was not measured. @param recorded from the end of warm-up to the end of the load */
export function replicationLag(
  events: readonly EventRecord[],
  recorded: Range,
  faults: readonly FaultTimes[],
): Record<string, ReplicaLagSummary> | null {
  const byNode = lagEventsByNode(events);
  if (byNode.size === 0) return null;
  const windows = windowsAround(faults, recorded);
  return Object.fromEntries([...byNode].map(([node, own]) => [node, lagOf(own, recorded, windows)]));
}

export function lagEventsByNode(events: readonly EventRecord[]): Map<string, EventOf<'lag'>[]> {
  const byNode = new Map<string, EventOf<'lag'>[]>();
  for (const event of events) {
    if (event.type !== 'lag') continue;
    const own = byNode.get(event.node);
    if (own === undefined) byNode.set(event.node, [event]);
    else own.push(event);
  }
  return byNode;
}

/**
 * By what was done to the target, whatever the clients felt of it: until a fault was begun, while it was in force, and from its heal
 * until the next. `before` and `after` are left out where another fault is in force.
 */
function windowsAround(faults: readonly FaultTimes[], recorded: Range): LagWindow[] {
  const windows: LagWindow[] = [];
  let freeFromUs = recorded.startUs;
  for (const [i, { faultId, beganUs, injectedAtUs, healedAtUs }] of faults.entries()) {
    const add = (name: LagWindow['name'], startUs: number, endUs: number): void => {
      const range = { startUs: Math.max(startUs, recorded.startUs), endUs: Math.min(endUs, recorded.endUs) };
      if (range.endUs > range.startUs) windows.push({ name, faultId, ...range });
    };
    const endUs = healedAtUs ?? recorded.endUs;
    add('before', freeFromUs, beganUs);
    if (injectedAtUs !== null) add('inForce', injectedAtUs, endUs);
    freeFromUs = Math.max(freeFromUs, endUs);
    add('after', freeFromUs, faults[i + 1]?.beganUs ?? recorded.endUs);
  }
  return windows;
}

function lagOf(events: readonly EventOf<'lag'>[], recorded: Range, windows: readonly LagWindow[]): ReplicaLagSummary {
  const markers = events.flatMap((event) => event.markers);
  const statsIn = (range: Range): ReplicaLagSummary['lag'] => {
    const lag = new Counts();
    for (const [atUs, lagUs] of markers) if (atUs >= range.startUs && atUs < range.endUs) lag.add([hdrIndexOf(lagUs), 1]);
    return lag.stats();
  };
  const resolution = new Counts();
  for (const [atUs, , resolutionUs] of markers) if (atUs >= recorded.startUs && atUs < recorded.endUs) resolution.add([hdrIndexOf(resolutionUs), 1]);
  const during = events.filter(({ tUs }) => tUs >= recorded.startUs);
  const behind = during.filter(({ tUs }) => tUs < recorded.endUs).flatMap(({ behindBytes }) => behindBytes ?? []);
  return {
    shard: events.findLast(({ shard }) => shard !== null)?.shard ?? null,
    lag: statsIn(recorded),
    resolution: resolution.total === 0 ? null : { p50: resolution.percentileUs(50) ?? 0, max: resolution.percentileUs(100) ?? 0 },
    unseen: during.reduce((sum, { unseen }) => sum + unseen, 0),
    behindBytesMax: behind.length === 0 ? null : behind.reduce((most, bytes) => Math.max(most, bytes)),
    windows: windows.map(({ name, faultId, startUs, endUs }) => ({ name, faultId, lag: statsIn({ startUs, endUs }) })),
  };
}

/** Against the node that answered first, by the reading of each with the shortest round trip; null: none was read. */
export function clockDifferences(events: readonly EventRecord[]): ClockSummary | null {
  const best = new Map<string, EventOf<'clock'>>();
  for (const event of events) {
    if (event.type !== 'clock') continue;
    const known = best.get(event.node);
    if (known === undefined || event.uncertaintyUs < known.uncertaintyUs) best.set(event.node, event);
  }
  const [reference] = [...best.values()].toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
  if (reference === undefined) return null;
  const nodes = [...best.values()].filter(({ node }) => node !== reference.node);
  return {
    reference: reference.node,
    nodes: Object.fromEntries(
      nodes.map(({ node, wallAtT0Us, uncertaintyUs }) => [
        node,
        { differenceUs: wallAtT0Us - reference.wallAtT0Us, uncertaintyUs: uncertaintyUs + reference.uncertaintyUs },
      ]),
    ),
  };
}
