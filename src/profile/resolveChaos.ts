/**
 * The entries of `chaos`, checked one by one against their kinds, the load and the target. Called by loadProfile; what is wrong is told,
 * and the entry left out.
 */
import type { z } from 'zod';
import type { FaultSchema } from '../chaos/fault.js';
import type { FaultPlan } from '../plan/plan.js';
import { type CommonFault, commonFaultKeys, commonFaultSchema } from './chaosSchema.js';
import { checkFault, checkMesh, checkMoment, type Ground, labShapeOf } from './crossChecks.js';
import { type Explainer, explainIssues } from './explain.js';
import { type ParsedSelector, parseNodeSelector } from './nodeSelector.js';
import { isMap, type Path, showPath } from './profileTree.js';
import { kindsForRandom, RANDOM, type RandomChaos, randomSchema } from './randomChaosSchema.js';
import type { References } from './references.js';
import { checkNamedSelectors } from './sideChecks.js';
import { didYouMean } from './suggest.js';

export interface ResolvedFault extends Pick<FaultPlan, 'kind' | 'params' | 'needsProxy' | 'needsMesh' | 'shading'> {
  common: CommonFault;
  selector: ParsedSelector | null;
  /** Those in the parameters. */
  namedSelectors: ParsedSelector[];
  takesDown: boolean;
}

/** What `fault: random` draws from. */
export type ResolvedTemplate = Omit<ResolvedFault, 'common'>;

export interface ResolvedRandom {
  random: RandomChaos;
  templates: ResolvedTemplate[];
  hasReplicas: boolean;
}
export type ResolvedEntry = ResolvedFault | ResolvedRandom;

export function resolveChaos(explainer: Explainer, references: References, ground: Ground, faults: readonly FaultSchema[]): ResolvedEntry[] {
  const { tree } = explainer;
  const entries = tree.get(['chaos']);
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((_, index) => resolveEntry(explainer, references, ground, faults, index) ?? []);
}

function resolveEntry(
  explainer: Explainer,
  references: References,
  ground: Ground,
  faults: readonly FaultSchema[],
  index: number,
): ResolvedEntry | undefined {
  const { tree, problems } = explainer;
  const path: Path = ['chaos', index];
  const entry = tree.get(path);
  if (!isMap(entry)) {
    problems.add(tree.place(path), `chaos[${index}]: a fault is a map of keys, e.g. { at: 8s, for: 10s, fault: kill, node: "master[0]" }`);
    return undefined;
  }
  if (entry.fault === RANDOM) return resolveRandom(explainer, references, ground, faults, index);
  const fault = kindOfEntry(explainer, entry.fault, faults, path);
  const common = parsePart(
    explainer,
    path,
    commonFaultSchema,
    Object.fromEntries(Object.entries(entry).filter(([key]) => commonFaultKeys.includes(key))),
  );
  const own = Object.fromEntries(Object.entries(entry).filter(([key]) => key !== 'fault' && !commonFaultKeys.includes(key)));
  const params = fault && !references.isBroken(path) ? parsePart(explainer, path, fault.params, own) : undefined;
  const { selector } = selectorAt(explainer, [...path, 'node']);
  if (!fault || !common) return undefined;
  checkFault(ground, { path, fault, selector });
  checkMoment(ground, { index, common: common.value });
  if (!params) return undefined;
  return { ...partOf(ground, path, fault, params.value), common: common.value, selector };
}

/** `fault: random`: what it draws from is checked as any fault is. */
function resolveRandom(
  explainer: Explainer,
  references: References,
  ground: Ground,
  faults: readonly FaultSchema[],
  index: number,
): ResolvedRandom | undefined {
  const { tree } = explainer;
  const path: Path = ['chaos', index];
  const { fault: _fault, ...keys } = tree.get(path) as Record<string, unknown>;
  const random = parsePart(explainer, path, randomSchema, keys);
  if (!random) return undefined;
  checkMoment(ground, { index, common: random.value });
  const topology = ground.target?.topology ?? '';
  const written = random.value.from?.map((_, i) => resolveTemplate(explainer, references, ground, faults, [...path, 'from', i]));
  const byDefault = kindsForRandom(faults, topology).map((fault) => ({ ...partOf(ground, path, fault, fault.params.parse({})), selector: null }));
  if (written === undefined) for (const fault of kindsForRandom(faults, topology)) checkFault(ground, { path, fault, selector: null, drawn: true });
  const templates = (written ?? byDefault).filter((template) => template !== undefined);
  const replicas = ground.target && 'replicasPerMaster' in ground.target ? ground.target.replicasPerMaster : 0;
  return { random: random.value, templates, hasReplicas: replicas > 0 };
}

function resolveTemplate(
  explainer: Explainer,
  references: References,
  ground: Ground,
  faults: readonly FaultSchema[],
  path: Path,
): ResolvedTemplate | undefined {
  const { tree, problems } = explainer;
  const written = tree.get(path);
  const { fault: kind, node: _node, ...own } = typeof written === 'string' ? { fault: written } : (written as Record<string, unknown>);
  const fault = kindOfEntry(explainer, kind, faults, typeof written === 'string' ? path : [...path, 'fault']);
  const misplaced = Object.keys(own).filter((key) => commonFaultKeys.includes(key));
  for (const key of misplaced)
    problems.add(tree.place([...path, key]), `${key}: a fault that is drawn has its times from the entry; leave it out here`);
  if (!fault || misplaced.length > 0 || references.isBroken(path)) return undefined;
  const params = parsePart(explainer, path, fault.params, own);
  const { selector } = selectorAt(explainer, [...path, 'node']);
  checkFault(ground, { path, fault, selector, drawn: true });
  return params && { ...partOf(ground, path, fault, params.value), selector };
}

/** The registered fault of that kind; undefined, and told, when there is none. */
function kindOfEntry({ tree, problems }: Explainer, kind: unknown, faults: readonly FaultSchema[], path: Path): FaultSchema | undefined {
  const kinds = faults.map((fault) => fault.kind);
  const fault = faults.find((candidate) => candidate.kind === kind);
  if (fault) return fault;
  const known = [...kinds, RANDOM];
  if (kind === undefined) problems.add(tree.place(path), `missing key "fault" in ${showPath(path)}; the faults are: ${known.join(', ')}`);
  else problems.add(tree.place(path.length === 2 ? [...path, 'fault'] : path), unknownFault(kind, known));
  return undefined;
}

function selectorAt({ tree, problems }: Explainer, path: Path): { selector: ParsedSelector | null } {
  const written = tree.get(path);
  const selector = typeof written === 'string' ? parseNodeSelector(written) : null;
  if (!selector || !('problem' in selector)) return { selector };
  problems.add(tree.place(path), `node: ${selector.problem}`);
  return { selector: null };
}

/** What a fault's plan has from its kind and its parameters, which are checked against the target. */
function partOf(ground: Ground, path: Path, fault: FaultSchema, params: unknown): Omit<ResolvedTemplate, 'selector'> {
  const namedSelectors = checkNamedSelectors(ground, { path, fault }, params, ground.target ? labShapeOf(ground.target) : undefined);
  const needsMesh = fault.needs === 'mesh' || (fault.needsMesh?.(params as never) ?? false);
  checkMesh(ground, { path, fault }, needsMesh);
  return {
    kind: fault.kind,
    params,
    needsProxy: fault.needs === 'proxy' || fault.needs === 'mesh',
    needsMesh,
    namedSelectors,
    shading: fault.shading,
    takesDown: fault.takesDown ?? false,
  };
}

function unknownFault(kind: unknown, kinds: readonly string[]): string {
  return typeof kind === 'string'
    ? `unknown fault "${kind}"${didYouMean(kind, kinds, 'the faults are')}`
    : `fault: it must be one of ${kinds.join(', ')}`;
}

function parsePart<T>(explainer: Explainer, path: Path, schema: z.ZodType<T>, value: unknown): { value: T } | undefined {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  explainIssues(explainer, result.error.issues, path);
  return undefined;
}
