/**
 * Checks of who a network fault cuts off from whom: node selectors and names of client groups in a fault's own parameters, and the groups
 * themselves. Called by loadProfile; what the selectors mean is seen at injection.
 */
import type { FaultSchema, NamedSelector } from '../chaos/fault.js';
import { parseSideMember } from '../plan/plan.js';
import type { CheckedFault, Ground } from './crossChecks.js';
import { impossibleIn, type LabShape, type ParsedSelector, parseNodeSelector } from './nodeSelector.js';
import { didYouMean } from './suggest.js';

/** The threads of all groups are the threads there are. */
export function checkClientGroups({ clientGroups, tree, problems }: Ground): void {
  const written = tree.get(['load', 'threads']);
  if (!clientGroups || Object.keys(clientGroups).length === 0 || typeof written !== 'number') return;
  const sum = Object.values(clientGroups).reduce((total, threads) => total + threads, 0);
  if (sum === written) return;
  problems.add(
    tree.place(['load', 'threads']),
    `threads: the clientGroups have ${sum} threads together, not ${written}; leave threads out, or make them add up`,
  );
}

/** The node selectors among what a fault's parameters name; what is wrong with any of them is told. */
export function checkNamedSelectors(
  ground: Ground,
  { path: entry, fault }: Pick<CheckedFault, 'path' | 'fault'>,
  params: unknown,
  lab: LabShape | undefined,
): ParsedSelector[] {
  const named = selectorsIn(fault, params);
  const found: ParsedSelector[] = [];
  for (const { path, text } of named) {
    const key = String(path[0]);
    const place = (): ReturnType<Ground['tree']['place']> => ground.tree.place([...entry, ...path]);
    const member = parseSideMember(text);
    if (member) {
      const wrong = member.kind === 'clients' && member.group !== null ? unknownGroup(ground, member.group) : undefined;
      if (wrong) ground.problems.add(place(), `${key}: ${wrong}`);
      continue;
    }
    const selector = parseNodeSelector(text);
    if ('problem' in selector) {
      ground.problems.add(place(), `${key}: ${selector.problem}, or \`rest\`, \`clients\`, \`clients of NAME\``);
      continue;
    }
    const why = lab && impossibleIn(selector, lab);
    if (why) ground.problems.add(place(), `${key}: "${text}" can never be hit: ${why}`);
    // The plan finds it by the words of the parameters.
    else found.push({ ...selector, text });
  }
  return found;
}

function selectorsIn(fault: FaultSchema, params: unknown): NamedSelector[] {
  return fault.selectorsOf?.(params as never) ?? [];
}

function unknownGroup({ clientGroups }: Ground, group: string): string | undefined {
  const names = Object.keys(clientGroups ?? {});
  if (clientGroups === null || names.includes(group)) return undefined;
  if (names.length === 0) return `there is no client group "${group}"; name it in load.clientGroups, e.g. clientGroups: { ${group}: 1, others: 1 }`;
  return `unknown client group "${group}"${didYouMean(group, names, 'the groups are')}`;
}
