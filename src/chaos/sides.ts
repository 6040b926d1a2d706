/** Who stands where when the network is cut: from what a profile says to nodes, clients and links. Used by the network faults. Pure. */
import { KvbenchError } from '../base/errors.js';
import { parseSideMember } from '../plan/plan.js';
import type { FaultSide } from '../result/records.js';
import type { NodeView, TopologyView } from '../topology/target.js';
import type { LinkRef } from './links.js';

/** What the names in a fault's parameters mean at this moment. */
export interface AimScope {
  readonly view: TopologyView;
  /** All groups of clients of the run. */
  readonly clientGroups: readonly string[];
  /** Nodes of a selector of this fault; empty when nobody is that now. */
  resolve(selector: string): NodeView[];
}

/** Where a network fault acts. */
export interface Aim {
  /** All nodes hit. */
  targets: NodeView[];
  /** Who is cut off from whom; empty when nobody is. */
  sides: FaultSide[];
  /** Only links that these open, and that lead to those; null: any. */
  ends?: { from: FaultSide | null; to: FaultSide | null };
}

/**
 * Sides of named members. Nodes that `rest` stands for are those on no other side, and not in `apart`.
 * Throws FAULT_FAILED when nobody is what a selector says, or someone would be on two sides.
 */
export function sidesOf(scope: AimScope, groups: readonly (readonly string[])[], apart: readonly string[] = []): FaultSide[] {
  const sides = groups.map((members) => membersOf(scope, members));
  const nodes = sides.flatMap((side) => side.nodes);
  const twice = repeated([...nodes, ...apart]) ?? repeated(sides.flatMap((side) => side.clients));
  if (twice !== null)
    throw new KvbenchError('FAULT_FAILED', `${twice} would stand on two sides at once`, 'Choose selectors that never mean the same node.');
  const rest = scope.view.nodes.map(({ id }) => id).filter((id) => !nodes.includes(id) && !apart.includes(id));
  for (const [i, members] of groups.entries()) {
    if (members.some((member) => parseSideMember(member)?.kind === 'rest')) sides[i]?.nodes.push(...rest);
  }
  const empty = sides.findIndex((side) => side.nodes.length === 0 && side.clients.length === 0);
  if (empty >= 0) throw new KvbenchError('FAULT_FAILED', `nobody stands on side ${empty + 1} (${groups[empty]?.join(', ')}) at this moment`);
  return sides;
}

/** Who calls and who is called; `rest` is every node that the other end does not name. */
export function endsOf(scope: AimScope, from: readonly string[] | undefined, to: readonly string[] | undefined): Required<Aim>['ends'] {
  const end = (members: readonly string[] | undefined, others: readonly string[] | undefined): FaultSide | null => {
    if (!members) return null;
    const side = membersOf(scope, members);
    if (!members.some((member) => parseSideMember(member)?.kind === 'rest')) return side;
    const taken = [...side.nodes, ...(others ? membersOf(scope, others).nodes : [])];
    return { ...side, nodes: [...side.nodes, ...scope.view.nodes.map(({ id }) => id).filter((id) => !taken.includes(id))] };
  };
  return { from: end(from, to), to: end(to, from) };
}

/** One side; `rest` is left to the caller. */
function membersOf(scope: AimScope, members: readonly string[]): FaultSide {
  const nodes = new Set<string>();
  const clients = new Set<string>();
  for (const text of members) {
    const member = parseSideMember(text);
    if (member?.kind === 'rest') continue;
    if (member) for (const group of member.group === null ? scope.clientGroups : [member.group]) clients.add(group);
    else for (const node of namedNodes(scope, text)) nodes.add(node.id);
  }
  return { nodes: [...nodes], clients: [...clients] };
}

function namedNodes(scope: AimScope, selector: string): NodeView[] {
  const nodes = scope.resolve(selector);
  if (nodes.length === 0) throw new KvbenchError('FAULT_FAILED', `no node is "${selector}" at this moment`);
  return nodes;
}

function repeated(names: readonly string[]): string | null {
  return names.find((name, i) => names.indexOf(name) !== i) ?? null;
}

/** The nodes of all sides, in the order of the view. */
export function nodesOf(view: TopologyView, sides: readonly FaultSide[]): NodeView[] {
  return view.nodes.filter(({ id }) => sides.some((side) => side.nodes.includes(id)));
}

/** Links that somebody of `from` opens to a node of `to`. */
export function linksFrom(links: readonly LinkRef[], from: FaultSide, to: FaultSide): LinkRef[] {
  return links.filter((link) => to.nodes.includes(link.to) && (link.channel === 'client' ? from.clients : from.nodes).includes(link.from));
}

/** All links between different sides, in both directions. */
export function linksAcross(links: readonly LinkRef[], sides: readonly FaultSide[]): LinkRef[] {
  return sides.flatMap((from) => sides.filter((to) => to !== from).flatMap((to) => linksFrom(links, from, to)));
}
