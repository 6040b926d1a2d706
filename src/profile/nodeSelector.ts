/**
 * Node selectors: `master[0]`, `master of slot 5`, `replica of master[1]`, `random replica`… Parsed here, drawn by makePlan, resolved by
 * chaos at injection. Pure.
 */
import calculateSlot from 'cluster-key-slot';
import { unreachable } from '../base/assert.js';
import type { NodeSelector } from '../plan/plan.js';
import { didYouMean } from './suggest.js';

/** A selector before the seed's draw. */
type Undrawn<S> = S extends { draw: number } ? Omit<S, 'draw'> : S;
export type ParsedSelector = Undrawn<NodeSelector>;

/** What a lab has, for telling the impossible. */
export interface LabShape {
  topology: 'standalone' | 'replicated' | 'sentinel' | 'cluster';
  masters: number;
  replicasPerMaster: number;
  sentinels: number;
}

export const SLOT_COUNT = 16_384;

export const selectorForms = [
  'master[0]',
  'replica[0]',
  'node[0]',
  'master of slot 0',
  'master of key user:1',
  'replica of master[0]',
  'random master',
  'random replica',
  'all replicas',
  'all masters',
  'sentinel[0]',
  'all sentinels',
] as const;

/** The selector, or what is wrong with the text. */
export function parseNodeSelector(text: string): ParsedSelector | { problem: string } {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  const indexed = /^(master|replica|node|sentinel)\s?\[\s?(\d+)\s?\]$/.exec(words);
  if (indexed) return { text: words, by: indexed[1] as 'master' | 'replica' | 'node' | 'sentinel', index: Number(indexed[2]) };
  const ofMaster = /^replica of master\s?\[\s?(\d+)\s?\]$/.exec(words);
  if (ofMaster) return { text: words, by: 'replicaOfMaster', index: Number(ofMaster[1]) };
  const ofSlot = /^master of slot (\d+)$/.exec(words);
  if (ofSlot) {
    const slot = Number(ofSlot[1]);
    if (slot >= SLOT_COUNT) return { problem: `slot ${slot} does not exist; slots go from 0 to ${SLOT_COUNT - 1}` };
    return { text: words, by: 'masterOfSlot', slot };
  }
  // A key may hold any spaces, so it is taken from the text as written.
  const ofKey = /^\s*master\s+of\s+key\s(.+)$/.exec(text);
  if (ofKey?.[1]) return { text: text.trim(), by: 'masterOfSlot', slot: calculateSlot(ofKey[1].trim()) };
  switch (words) {
    case 'random master':
      return { text: words, by: 'randomMaster' };
    case 'random replica':
      return { text: words, by: 'randomReplica' };
    case 'all replicas':
      return { text: words, by: 'allReplicas' };
    case 'all masters':
      return { text: words, by: 'allMasters' };
    case 'all sentinels':
      return { text: words, by: 'allSentinels' };
  }
  return { problem: `${JSON.stringify(text)} selects no node${didYouMean(words, selectorForms, 'write it like one of')}` };
}

/** Why a lab of this shape can never have such a node; undefined when it can. */
export function impossibleIn(selector: ParsedSelector, lab: LabShape): string | undefined {
  const replicas = lab.masters * lab.replicasPerMaster;
  const nodes = lab.masters + replicas;
  const lab_ = labText(lab);
  const outOf = (what: string, index: number, count: number): string | undefined => {
    if (index < count) return undefined;
    if (count === 0) return `${lab_} has no ${what}`;
    return `${lab_} has ${count === 1 ? `only ${what}[0]` : `${what}[0] to ${what}[${count - 1}]`}`;
  };
  switch (selector.by) {
    case 'master':
      return outOf('master', selector.index, lab.masters);
    case 'replica':
      return outOf('replica', selector.index, replicas);
    case 'node':
      return outOf('node', selector.index, nodes);
    case 'replicaOfMaster':
      return outOf('master', selector.index, lab.masters) ?? (replicas === 0 ? `${lab_} has no replicas` : undefined);
    case 'randomReplica':
    case 'allReplicas':
      return replicas === 0 ? `${lab_} has no replicas` : undefined;
    case 'masterOfSlot':
      return lab.topology === 'cluster'
        ? undefined
        : `${lab_} has no slots; its ${lab.topology === 'standalone' ? 'one node' : 'master'} is master[0]`;
    case 'sentinel':
      return outOf('sentinel', selector.index, lab.sentinels);
    case 'allSentinels':
      return lab.sentinels === 0 ? `${lab_} has no sentinels` : undefined;
    case 'randomMaster':
    case 'allMasters':
      return undefined;
  }
}

function labText({ topology, masters, replicasPerMaster, sentinels }: LabShape): string {
  const replicas = `${replicasPerMaster} ${replicasPerMaster === 1 ? 'replica' : 'replicas'}`;
  switch (topology) {
    case 'standalone':
      return 'a standalone target';
    case 'replicated':
      return `this master with ${replicas}`;
    case 'sentinel':
      return `this target (a master, ${replicas}, ${sentinels} ${sentinels === 1 ? 'sentinel' : 'sentinels'})`;
    case 'cluster':
      return `this cluster (${masters} masters, ${replicas} each)`;
    default:
      return unreachable(topology);
  }
}
