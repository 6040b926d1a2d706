/**
 * Proof that a run left its target whole, or what precisely is not. Looked at by cli's performance once everything is healed. It looks at
 * the present state and remembers nothing; it mends nothing.
 */
import { messageOf } from '../base/errors.js';
import { SLOT_COUNT } from '../topology/shardNumbers.js';
import type { NodeView, ProcessControl, TopologyView } from '../topology/target.js';
import type { ProxyControl } from './proxyControl.js';

export interface Whereabouts {
  mode: string;
  /** Of this moment. */
  view: TopologyView;
  processes: ProcessControl | null;
  proxies: ProxyControl | null;
  /** Nodes that are gone on purpose. */
  removed: ReadonlySet<string>;
  /** What faults were to do and did not, a sentence each. */
  shortfalls: readonly string[];
}

export interface Proof {
  /** What was looked at and found well, a few words each. */
  holds: string[];
  /** What is not as it should be, a sentence each; empty: the target is whole. */
  missing: string[];
}

export async function proveWhole({ mode, view, processes, proxies, removed, shortfalls }: Whereabouts): Promise<Proof> {
  const nodes = view.nodes.filter((node) => !removed.has(node.id));
  const checks: [string, string[]][] = [
    ['every node answers', nodes.filter((node) => !node.reachable).map((node) => `${node.id} (${node.address}) does not answer`)],
    ['replicas in sync', nodes.filter((node) => node.role === 'replica' && !node.inSync).map((node) => `${node.id} is not in sync with its master`)],
  ];
  if (processes) {
    const gone = nodes.filter((node) => !processes.isRunning(node.id));
    checks.push(['every process runs', gone.map((node) => `the process of ${node.id} is not running`)]);
  }
  if (mode === 'cluster') checks.push(['all slots covered', slotProblems(nodes)]);
  if (proxies) checks.push(['every proxy clean', await proxyProblems(proxies)]);
  return {
    holds: checks.filter(([, problems]) => problems.length === 0).map(([what]) => what),
    missing: [...checks.flatMap(([, problems]) => problems), ...shortfalls],
  };
}

function slotProblems(nodes: readonly NodeView[]): string[] {
  const covered = new Uint8Array(SLOT_COUNT);
  for (const node of nodes) if (node.reachable) for (const [first, last] of node.slots) covered.fill(1, first, last + 1);
  const count = covered.reduce((sum, one) => sum + one, 0);
  return count === SLOT_COUNT ? [] : [`${SLOT_COUNT - count} of ${SLOT_COUNT} slots are served by nobody, the first is ${covered.indexOf(0)}`];
}

async function proxyProblems(proxies: ProxyControl): Promise<string[]> {
  try {
    return (await proxies.isClean()) ? [] : ['a proxy is disabled or has toxics'];
  } catch (error) {
    return [`the proxies cannot be looked at: ${messageOf(error)}`];
  }
}
