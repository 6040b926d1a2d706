/**
 * Checks over several parts of a profile: faults against the load and the target, thresholds against phases, operations and shards.
 * Called by loadProfile once the parts are parsed. A check whose ground is itself wrong is left out: one slip, one message.
 */

import { unreachable } from '../base/assert.js';
import type { FaultSchema } from '../chaos/fault.js';
import { repetitions } from '../plan/faultPlans.js';
import { openShape } from '../plan/openShape.js';
import { type GateRuleText, type OperationName, operationNames, type ThresholdPlan } from '../plan/plan.js';
import type { CommonFault } from './chaosSchema.js';
import { durationText } from './durationText.js';
import { parseGateEntry } from './gateRule.js';
import { whyNoLedger } from './ledgerChecks.js';
import type { Phase } from './loadSchema.js';
import { impossibleIn, type LabShape, type ParsedSelector } from './nodeSelector.js';
import { singlePhases } from './phaseSteps.js';
import type { ProblemList } from './problems.js';
import { isMap, type Path, type ProfileTree, showPath } from './profileTree.js';
import { didYouMean } from './suggest.js';
import type { TargetInput } from './targetSchema.js';
import { type ParsedMetric, parseMetric, parseThreshold } from './thresholdExpression.js';

/** What is known for certain; null: that part is wrong or missing, and checks that need it are skipped. */
export interface Ground {
  tree: ProfileTree;
  problems: ProblemList;
  target: TargetInput | null;
  phases: readonly Phase[] | null;
  operations: Readonly<Record<OperationName, number>> | null;
  /** Number of chaos entries; those that are wrong count too. */
  faultCount: number;
  allow: readonly string[] | null;
  /** Empty when the profile names none. */
  clientGroups: Readonly<Record<string, number>> | null;
}

const REPETITIONS_MAX = 1000;

export function checkPhases(ground: Ground): void {
  const { phases, tree, problems } = ground;
  if (!phases) return;
  const seen = new Map<string, number>();
  for (const { name, from } of singlePhases(phases)) {
    const earlier = seen.get(name);
    if (earlier !== undefined)
      problems.add(tree.place(['load', 'phases', from, 'name']), `name: "${name}" is the name of phases[${earlier}] too; give each phase its own`);
    else seen.set(name, from);
  }
  for (const [index, phase] of phases.entries()) {
    if (phase.clients === undefined || phase.operations === undefined || index === phases.length - 1) continue;
    const remedy = 'what follows has its fixed time; move the phase to the end, or limit it by its duration';
    problems.add(tree.place(['load', 'phases', index, 'operations']), `operations: only the last phase can be a closed loop with a limit; ${remedy}`);
  }
  if (phases.every((phase) => !phase.record)) {
    problems.add(tree.place(['load', 'phases']), 'all phases have record: false, so nothing would be measured; leave it out of at least one');
  }
}

/** Replicas that are known before the run; those of an external cluster are seen when it is met. */
export function checkReads({ target, tree, problems }: Ground): void {
  if (target === null || tree.get(['load', 'readFrom']) !== 'replica') return;
  const place = tree.place(['load', 'readFrom']);
  if (target.topology === 'standalone' || (target.topology === 'external' && target.mode === 'standalone')) {
    problems.add(place, 'readFrom: a standalone server has no replica that kvbench knows of; use a topology with replicas, or readFrom: master');
  } else if (target.topology === 'cluster' && target.replicasPerMaster === 0) {
    problems.add(place, 'readFrom: these masters have no replicas; set target.replicasPerMaster to at least 1, or readFrom: master');
  } else if (target.topology === 'replicated' && target.replicas === 0) {
    problems.add(place, 'readFrom: this master has no replicas; set target.replicas to at least 1, or readFrom: master');
  }
}

/** `auto` is off without replicas; who writes `on` is told. */
export function checkLag({ target, tree, problems }: Ground): void {
  if (target === null || tree.get(['observe', 'replicationLag']) !== 'on' || replicasOf(target) !== 0) return;
  problems.add(tree.place(['observe', 'replicationLag']), 'replicationLag: this target has no replicas; give it some, or leave replicationLag out');
}

/** Null: known when the target is met. */
function replicasOf(target: TargetInput): number | null {
  switch (target.topology) {
    case 'standalone':
      return 0;
    case 'cluster':
      return target.replicasPerMaster;
    case 'external':
      return null;
    default:
      return target.replicas;
  }
}

/** One chaos entry whose own keys are right. */
export interface CheckedFault {
  /** Of the entry, or of what an entry draws from. */
  path: Path;
  fault: FaultSchema;
  selector: ParsedSelector | null;
  /** Its node is drawn when none is written. */
  drawn?: boolean;
}

export function checkFault(ground: Ground, entry: CheckedFault): void {
  checkAllowed(ground, entry);
  checkTopology(ground, entry);
  checkNode(ground, entry);
}

/** When an entry comes, against the load and the other entries. */
export function checkMoment(
  { phases, tree, problems }: Ground,
  { index, common }: { index: number; common: Pick<CommonFault, 'at' | 'for'> & Partial<Pick<CommonFault, 'after' | 'times'>> & { every?: unknown } },
): void {
  const at = (key: string, ...more: string[]): ReturnType<ProfileTree['place']> => tree.place(['chaos', index, key, ...more]);
  const id = index + 1;
  if (common.after && common.after.fault >= id) {
    const remedy = id === 1 ? 'the first fault can only have at:' : `fault ${id} can wait for ${id === 2 ? 'fault 1' : `faults 1 to ${id - 1}`}`;
    problems.add(at('after', 'fault'), `fault: ${common.after.fault} is not an earlier fault; ${remedy}`);
  }
  if (!phases) return;
  const { endUs, said } = loadEndOf(phases);
  if (common.at !== undefined && common.at >= endUs) {
    problems.add(at('at'), `at: ${durationText(common.at)} is not before the end of the load (${said}); inject it earlier or make the phases longer`);
  } else if (common.at !== undefined && common.for !== undefined && common.at + common.for > endUs) {
    const late = `${durationText(common.at)} + ${durationText(common.for)} is after the end of the load (${said})`;
    problems.add(at('for'), `for: ${late}; shorten it, or leave it out: a fault without for is healed at the end`);
  }
  if (typeof common.every === 'number') {
    const count = repetitions({ ...common, every: common.every }, endUs);
    if (common.for !== undefined && common.for > common.every) {
      problems.add(
        at('for'),
        `for: ${durationText(common.for)} is longer than every (${durationText(common.every)}); it must be healed before it comes again`,
      );
    }
    if (count > REPETITIONS_MAX)
      problems.add(at('every'), `every: it would come ${count} times; the most is ${REPETITIONS_MAX}, so make it rarer or give times`);
    const lastUs = (common.at ?? 0) + (count - 1) * common.every;
    if (common.at !== undefined && lastUs >= endUs) {
      problems.add(
        at('times'),
        `times: the last of ${count} would come at ${durationText(lastUs)}, after the end of the load (${durationText(endUs)})`,
      );
    }
  }
  if (common.after && common.after.delay >= endUs) {
    problems.add(at('after', 'delay'), `delay: ${durationText(common.after.delay)} leads beyond the end of the load (${said})`);
  }
}

/** When the load ends, and how to say it. Of a closed loop with a limit it is the latest. */
function loadEndOf(phases: readonly Phase[]): { endUs: number; said: string } {
  let isShorter = false;
  const endUs = singlePhases(phases).reduce((sum, { rate, duration, operations }) => {
    const durationUs = rate === undefined ? duration : openShape(rate, duration, operations).durationUs;
    isShorter ||= durationUs < duration;
    return sum + durationUs;
  }, 0);
  return { endUs, said: `${durationText(endUs)}${isShorter ? ', as `operations` of its phases shorten it' : ''}` };
}

/** A fault that the topology gives nothing to act on. */
function checkTopology({ target, tree, problems }: Ground, { path, fault }: CheckedFault): void {
  if (!target || !fault.topologies || fault.topologies.includes(target.topology)) return;
  const needed = fault.topologies.filter((topology) => topology !== 'external').join(' or ');
  problems.add(
    tree.place(faultPlace(tree, path)),
    `fault: ${fault.kind} needs target.topology: ${needed}, and this is ${target.topology}; change the topology or choose another fault`,
  );
}

/** Where the kind is written. */
function faultPlace(tree: ProfileTree, path: Path): Path {
  return isMap(tree.get(path)) ? [...path, 'fault'] : path;
}

function checkAllowed({ target, allow, tree, problems }: Ground, { path, fault }: CheckedFault): void {
  if (target?.topology !== 'external') return;
  const place = tree.place(faultPlace(tree, path));
  if (fault.needs === 'process') {
    problems.add(
      place,
      `fault: ${fault.kind} acts on server processes, and kvbench only touches those it started itself; use a lab, or a network fault`,
    );
  } else if (allow && !allow.includes(fault.kind)) {
    problems.add(
      place,
      `fault: ${fault.kind} is not allowed on this external target; if its owner agrees, write allow: [${[...allow, fault.kind].join(', ')}]`,
    );
  }
}

function checkNode({ target, tree, problems }: Ground, { path, fault, selector, drawn }: CheckedFault): void {
  if (fault.selector === 'none' && tree.get([...path, 'node']) !== undefined) {
    problems.add(tree.place([...path, 'node'], 'key'), `node: ${fault.kind} has no node; its own keys say who is hit`);
  }
  if (fault.selector === 'required' && !drawn && tree.get([...path, 'node']) === undefined) {
    problems.add(tree.place(path), `missing key "node" in ${showPath(path)}: ${fault.kind} must know which node to hit (e.g. node: "master[0]")`);
  }
  if (!target || !selector) return;
  const lab = labShapeOf(target);
  const why = lab && impossibleIn(selector, lab);
  if (why) problems.add(tree.place([...path, 'node']), `node: "${selector.text}" can never be hit: ${why}`);
}

/** Undefined: an external target whose nodes are seen when it is met. */
export function labShapeOf(target: TargetInput): LabShape | undefined {
  const { topology } = target;
  switch (topology) {
    case 'standalone':
      return { topology, masters: 1, replicasPerMaster: 0, sentinels: 0 };
    case 'replicated':
      return { topology, masters: 1, replicasPerMaster: target.replicas, sentinels: 0 };
    case 'sentinel':
      return { topology, masters: 1, replicasPerMaster: target.replicas, sentinels: target.sentinels };
    case 'cluster':
      return { topology, masters: target.masters, replicasPerMaster: target.replicasPerMaster, sentinels: 0 };
    case 'external':
      return target.mode === 'standalone' ? { topology: 'standalone', masters: 1, replicasPerMaster: 0, sentinels: 0 } : undefined;
    default:
      return unreachable(topology);
  }
}

/** Links between nodes pass through kvbench only where it started the nodes. @param needsMesh of this entry, with its parameters */
export function checkMesh({ target, tree, problems }: Ground, { path, fault }: Pick<CheckedFault, 'path' | 'fault'>, needsMesh: boolean): void {
  if (!needsMesh || target?.topology !== 'external') return;
  const remedy = fault.needs === 'mesh' ? 'use a lab' : 'use a lab, or link: client';
  problems.add(
    tree.place(faultPlace(tree, path)),
    `fault: ${fault.kind} acts here on the links between nodes, which pass through kvbench only in a lab of its own; ${remedy}`,
  );
}

export function checkAllow(ground: Ground, faults: readonly FaultSchema[]): void {
  const kinds = faults.map((fault) => fault.kind);
  for (const [index, kind] of (ground.allow ?? []).entries()) {
    if (!kinds.includes(kind))
      ground.problems.add(ground.tree.place(['allow', index]), `unknown fault "${kind}"${didYouMean(kind, kinds, 'the faults are')}`);
  }
}

/** Parses and checks the expressions under a path, e.g. `thresholds`; what is wrong is told and left out. `parsed`: their values, as written where the schema refused them. */
export function checkThresholds(ground: Ground, section: Path, parsed: Readonly<Record<string, unknown>>): ThresholdPlan[] {
  const out: ThresholdPlan[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    const metric = parseMetric(key);
    if ('problem' in metric) {
      ground.problems.add(ground.tree.place([...section, key], 'key'), metric.problem);
      continue;
    }
    const wrongTag = tagProblem(ground, metric);
    if (wrongTag) ground.problems.add(ground.tree.place([...section, key], 'key'), wrongTag);
    const noLedger = metric.name === 'lost_writes' ? whyNoLedger(ground) : null;
    if (noLedger) ground.problems.add(ground.tree.place([...section, key], 'key'), `lost_writes needs the ledger, and ${noLedger}`);
    for (const { path, text, abortOnFail, delayAbortEvalUs } of expressionsOf([...section, key], value)) {
      const threshold = parseThreshold(metric, text);
      if ('problem' in threshold) ground.problems.add(ground.tree.place(path), threshold.problem);
      else out.push({ ...threshold, abortOnFail, delayAbortEvalUs });
    }
  }
  return out;
}

/** Parses and checks the rules under `gate`, as checkThresholds does; they are kept as written. */
export function checkGate(ground: Ground, parsed: Readonly<Record<string, unknown>>): GateRuleText[] {
  const out: GateRuleText[] = [];
  for (const [metric, value] of Object.entries(parsed)) {
    const texts = (Array.isArray(value) ? value : [value]).filter((text): text is string => typeof text === 'string');
    for (const [index, expression] of texts.entries()) {
      const path = Array.isArray(value) ? ['gate', metric, index] : ['gate', metric];
      const rule = parseGateEntry(metric, expression);
      const wrong = 'problem' in rule ? rule.problem : tagProblem(ground, { metric, name: rule.metric, tags: rule.tags });
      if (wrong !== undefined) ground.problems.add(ground.tree.place(path), wrong);
      else out.push({ metric, expression });
    }
  }
  return out;
}

interface FlatExpression {
  path: Path;
  text: string;
  abortOnFail: boolean;
  delayAbortEvalUs: number;
}

/** `value` as thresholdsSchema left it. */
function expressionsOf(path: Path, value: unknown): FlatExpression[] {
  if (typeof value === 'string') return [{ path, text: value, abortOnFail: false, delayAbortEvalUs: 0 }];
  if (Array.isArray(value)) return value.flatMap((item, index) => expressionsOf([...path, index], item));
  if (!isMap(value) || typeof value.threshold !== 'string') return [];
  return [
    {
      path: [...path, 'threshold'],
      text: value.threshold,
      abortOnFail: value.abortOnFail === true,
      delayAbortEvalUs: Number(value.delayAbortEval),
    },
  ];
}

const duringValues = ['before', 'fault', 'recovery', 'after'];

function tagProblem(ground: Ground, { metric, name, tags }: Pick<ParsedMetric, 'metric' | 'tags'> & { name: string }): string | undefined {
  const { op, phase, during, shard, fault } = tags;
  if (op !== undefined) {
    const known = ground.operations === null ? null : [...new Set([...operationNames, ...Object.keys(ground.operations)])];
    if (known?.includes(op) === false) return `unknown operation "${op}" in ${metric}${didYouMean(op, known, 'the operations are')}`;
    if (ground.operations?.[op] === 0) return `${metric}: the workload has no ${op}, so this would always fail; give it a weight or leave it out`;
  }
  if (phase !== undefined && ground.phases) {
    const single = singlePhases(ground.phases);
    const names = single.map(({ name }) => name);
    const found = single[names.indexOf(phase)];
    if (!found) return `unknown phase "${phase}" in ${metric}${didYouMean(phase, names, 'the phases are')}`;
    if (!found.record) return `${metric}: phase "${phase}" has record: false, so it is in no threshold; choose another`;
  }
  if (during !== undefined && !duringValues.includes(during))
    return `unknown time "during:${during}" in ${metric}${didYouMean(during, duringValues, 'it must be one of')}`;
  if (shard !== undefined) {
    const wrong =
      name === 'rto' && shard === 'all' ? 'a recovery time is of one shard or any; write shard:any or a number' : shardProblem(shard, ground.target);
    if (wrong) return `${metric}: ${wrong}`;
  }
  if (fault !== undefined && !(/^[1-9]\d*$/.test(fault) && Number(fault) <= ground.faultCount)) {
    const known =
      ground.faultCount === 0
        ? 'this profile has no faults'
        : `this profile’s faults are 1${ground.faultCount > 1 ? ` to ${ground.faultCount}` : ''}`;
    return `${metric}: there is no fault ${fault}; ${known}`;
  }
  return undefined;
}

function shardProblem(shard: string, target: TargetInput | null): string | undefined {
  if (shard === 'any' || shard === 'all') return undefined;
  if (!/^\d+$/.test(shard)) return `"shard:${shard}" is not a shard; write a number from 0, any or all`;
  const count = target ? labShapeOf(target)?.masters : undefined;
  if (count === undefined || Number(shard) < count) return undefined;
  return `there is no shard ${shard}; this target has ${count === 1 ? 'only shard 0' : `shards 0 to ${count - 1}`}`;
}
