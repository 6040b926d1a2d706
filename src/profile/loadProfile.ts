/**
 * From a YAML file to a checked profile: read, override, put referenced files in place, check everything, and only then throw all problems
 * at once. Called by the command line; starts nothing and connects to nothing.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { KvbenchError } from '../base/errors.js';
import type { FaultSchema } from '../chaos/fault.js';
import type { CapacityPlan, GateRuleText, OperationName, SafetyPlan, TargetPlan, ThresholdPlan } from '../plan/plan.js';
import { checkCapacity, mountTrialPhases } from './capacityChecks.js';
import { checkCommands } from './commandChecks.js';
import { checkConfirmations } from './confirmSchema.js';
import { checkAllow, checkGate, checkLag, checkPhases, checkReads, checkThresholds, type Ground } from './crossChecks.js';
import { type Explainer, explainIssues } from './explain.js';
import { checkLedger } from './ledgerChecks.js';
import { applyOverrides } from './overrides.js';
import { type Problem, ProblemList, ProfileError } from './problems.js';
import { documentedProfileSchema, type ProfileOutput, resolvedProfileSchema } from './profileSchema.js';
import { isMap, ObjectOrigin, type Path, ProfileTree, startsWith } from './profileTree.js';
import { nameFrom, References } from './references.js';
import { type ResolvedEntry, resolveChaos } from './resolveChaos.js';
import { safetyPlan } from './safetyChecks.js';
import { schemaNodeOf } from './schemaNode.js';
import { findFile } from './shipped.js';
import { checkClientGroups } from './sideChecks.js';
import { mountVariant, VARIANTS_KEY, type VariantChange, variantChanges, variantNames } from './variants.js';
import { readYamlFile } from './yamlFile.js';

export interface ProfileOptions {
  /** The faults that profiles may name. */
  faults: readonly FaultSchema[];
  /** Values of `--set`: `a.b.0.c=value`, in order. */
  sets: readonly string[];
  /** Where `KVBENCH_SET_…` variables are looked for. */
  env: NodeJS.ProcessEnv;
}

/** A profile in which everything is known but the draws. Durations are whole µs, sizes bytes, rates operations per second. */
export interface ResolvedProfile extends SingleProfile {
  /** In their order; empty: none. Each is the whole profile as that variant has it. */
  variants: ResolvedVariant[];
}

export interface ResolvedVariant {
  name: string;
  description: string;
  changes: VariantChange[];
  profile: SingleProfile;
}

/** A profile, or one variant of it. */
export interface SingleProfile {
  name: string;
  description: string;
  seed: number;
  target: TargetPlan;
  /** `embedded` or a URL. */
  toxiproxy: string;
  load: ProfileOutput['load'];
  chaos: ResolvedEntry[];
  observe: ProfileOutput['observe'];
  safety: SafetyPlan;
  objective: ThresholdPlan[];
  thresholds: ThresholdPlan[];
  gate: GateRuleText[];
  allow: string[];
  /** Null: an ordinary run. */
  capacity: CapacityPlan | null;
}

/**
 * @param file a path, or the name of a shipped profile (`failover`)
 * @throws KvbenchError FILE_NOT_READABLE when there is no such file; ProfileError (INVALID_PROFILE) with all problems of its content
 */
export function loadProfile(file: string, options: ProfileOptions): ResolvedProfile {
  const found = findFile('profiles', file, process.cwd(), '');
  if ('problem' in found) throw new KvbenchError('FILE_NOT_READABLE', found.problem, 'see `kvbench list profiles` for what is shipped');
  const yaml = readYamlFile(found.path, found.label);
  const read = (): ProfileTree => new ProfileTree(yaml.value, yaml.origin);
  return resolveProfile(read, { folder: dirname(found.path), labelFolder: dirname(found.label), defaultName: nameFrom(found.path) }, options);
}

/**
 * A profile that did not come from a file, e.g. from flags.
 * @param label what problems are reported at, followed by the path of the value
 * @param baseFolder what relative file references start from
 * @throws ProfileError (INVALID_PROFILE) with all problems
 */
export function profileFromObject(
  object: unknown,
  label: string,
  baseFolder: string,
  options: ProfileOptions,
  placeNames: Readonly<Record<string, string>> = {},
): ResolvedProfile {
  const read = (): ProfileTree => new ProfileTree(object, new ObjectOrigin(label, placeNames));
  return resolveProfile(read, { folder: baseFolder, labelFolder: '', defaultName: nameFrom(label) }, options);
}

interface Whereabouts {
  folder: string;
  /** How the user knows `folder`. */
  labelFolder: string;
  defaultName: string;
}

/** @param read gives the raw tree, a fresh one each time */
function resolveProfile(read: () => ProfileTree, where: Whereabouts, options: ProfileOptions): ResolvedProfile {
  const tree = read();
  const problems = new ProblemList(tree.place([]).file);
  if (!isMap(tree.root)) throw new ProfileError([notAProfile(tree)]);
  const profile = resolveOne(tree, null, where, options, problems);
  const variants = variantNames(tree).map((name) => {
    const description = tree.get([VARIANTS_KEY, name, 'description']);
    const changes = variantChanges(tree, name);
    return {
      name,
      description: typeof description === 'string' ? description : '',
      changes,
      profile: resolveOne(read(), name, where, options, problems),
    };
  });
  problems.throwIfAny();
  if (!profile) throw new Error('bug in kvbench: a profile that could not be parsed has no problem');
  return { ...profile, variants: variants as ResolvedVariant[] };
}

/** The profile itself (null), or one of its variants; null when something is wrong, which is then told. */
function resolveOne(
  tree: ProfileTree,
  variant: string | null,
  where: Whereabouts,
  options: ProfileOptions,
  problems: ProblemList,
): SingleProfile | null {
  const schema = schemaNodeOf(documentedProfileSchema(options.faults));
  const explainer: Explainer = { tree, schema, problems };
  const references = new References(tree, where.folder, where.labelFolder, options.faults, problems);
  const expand = (path: Path, next: string): void => references.expandFor(path, next);
  const overrides = { sets: options.sets, env: options.env, schema, expand };
  applyOverrides(tree, { ...overrides, only: 'variants' }, problems);
  if (variant !== null) mountVariant(tree, variant, expand, problems);
  applyOverrides(tree, { ...overrides, only: 'rest' }, problems);
  references.expandAll();
  mountTrialPhases(tree, problems);

  const parsed = parseSections(explainer, references);
  const ground = groundOf(tree, problems, parsed);
  checkPhases(ground);
  checkReads(ground);
  checkLag(ground);
  checkConfirmations(ground, parsed.isRight(['load', 'wait']) && parsed.isRight(['load', 'waitAof']) ? (parsed.profile?.load ?? null) : null);
  checkLedger(ground);
  checkCommands(ground, parsed.isRight(['load', 'workload', 'commands']) ? parsed.profile : null);
  checkClientGroups(ground);
  checkAllow(ground, options.faults);
  const chaos = resolveChaos(explainer, references, ground, options.faults);
  const [objective, thresholds] = (['objective', 'thresholds'] as const).map((section) => {
    const written = tree.get([section]);
    return checkThresholds(ground, [section], { ...(isMap(written) ? written : {}), ...parsed.profile?.[section] });
  });
  const gateWritten = tree.get(['gate']);
  const gate = checkGate(ground, { ...(isMap(gateWritten) ? gateWritten : {}), ...parsed.profile?.gate });
  const capacity = checkCapacity(ground, parsed.isRight(['capacity']) ? parsed.profile : null);
  if (parsed.profile && parsed.isRight(['target'])) checkFiles(explainer, parsed.profile, where.folder);
  const { profile } = parsed;
  const safety = profile && safetyPlan(ground, profile.safety);
  if (problems.count > 0 || !profile || !safety || !objective || !thresholds) return null;
  const { name, description, seed, toxiproxy, load, allow } = profile;
  return {
    name: name ?? where.defaultName,
    description,
    seed,
    target: targetPlan(profile.target, where.folder),
    toxiproxy,
    load,
    chaos,
    observe: profile.observe,
    safety,
    objective,
    thresholds,
    gate,
    allow,
    capacity,
  };
}

function notAProfile(tree: ProfileTree): Problem {
  const remedy = 'a profile is a map of keys: target, load, chaos, thresholds; begin with a shipped one, see `kvbench list profiles`';
  const what = tree.root === null || tree.root === undefined ? 'is empty' : Array.isArray(tree.root) ? 'is a list' : 'is a single text';
  return { place: tree.place([]), message: `the profile ${what}; ${remedy}` };
}

interface ParsedSections {
  /** With wrong values left away where they could be; null when what is left makes no profile. */
  profile: ProfileOutput | null;
  /** Whether nothing at or below a path was wrong. */
  isRight(path: Path): boolean;
}

/** Checks all but the chaos entries' own keys, tells what is wrong, and saves what is right for the checks that follow. */
function parseSections(explainer: Explainer, references: References): ParsedSections {
  const { tree } = explainer;
  const result = resolvedProfileSchema.safeParse(tree.root);
  if (result.success) return { profile: result.data, isRight: () => true };
  const issues = result.error.issues.filter((issue) => !references.isBroken(issue.path as Path));
  explainIssues(explainer, issues);
  const wrongPaths = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...(issue.path as Path), key]) : [issue.path as Path],
  );
  const isRight = (path: Path): boolean => !wrongPaths.some((wrong) => startsWith(wrong, path) || startsWith(path, wrong));
  return { profile: salvage(tree.root, result.error.issues), isRight };
}

/** Parses again without the wrong values, so that checks across the file can go on; missing parts get harmless stand-ins. */
function salvage(root: unknown, issues: readonly z.core.$ZodIssue[]): ProfileOutput | null {
  const copy = new ProfileTree(root, new ObjectOrigin(''));
  for (const issue of issues) {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) copy.remove([...path, key]);
    else copy.remove(path);
  }
  const again = resolvedProfileSchema.safeParse(copy.root);
  if (again.success) return again.data;
  for (const issue of again.error.issues) {
    const part = standIns.find(({ at }) => startsWith(issue.path as Path, at));
    const at = part?.at ?? [String(issue.path[0])];
    if (!part) copy.remove(at);
    else if (isMap(copy.get(at.slice(0, -1)))) copy.mount(at, part.value, new ObjectOrigin(''));
  }
  return resolvedProfileSchema.safeParse(copy.root).data ?? null;
}

/** The most specific first. */
const standIns: readonly { at: Path; value: unknown }[] = [
  { at: ['target'], value: { topology: 'standalone' } },
  { at: ['load', 'workload'], value: { operations: { get: 1 } } },
  { at: ['load', 'phases'], value: [{ duration: '1s', rate: '1/s' }] },
  { at: ['load'], value: { workload: { operations: { get: 1 } }, phases: [{ duration: '1s', rate: '1/s' }] } },
];

function groundOf(tree: ProfileTree, problems: ProblemList, { profile, isRight }: ParsedSections): Ground {
  const chaos = tree.get(['chaos']);
  return {
    tree,
    problems,
    target: profile && isRightTarget(tree, profile, isRight) ? profile.target : null,
    phases: profile && isRight(['load', 'phases']) ? profile.load.phases : null,
    operations: profile && isRight(['load', 'workload', 'operations']) ? sentOperations(profile.load.workload.operations) : null,
    faultCount: Array.isArray(chaos) ? chaos.length : 0,
    allow: profile && isRight(['allow']) ? profile.allow : null,
    clientGroups: profile && isRight(['load', 'clientGroups']) ? (profile.load.clientGroups ?? {}) : null,
  };
}

/** Pairs are sent as their parts. */
function sentOperations({ readModifyWrite, ...weights }: ProfileOutput['load']['workload']['operations']): Record<OperationName, number> {
  return { ...weights, get: weights.get + readModifyWrite, set: weights.set + readModifyWrite };
}

/** Whether its shape is known: another topology than the written one is a stand-in. */
function isRightTarget(tree: ProfileTree, profile: ProfileOutput, isRight: ParsedSections['isRight']): boolean {
  const shape = ['topology', 'masters', 'replicasPerMaster', 'replicas', 'sentinels', 'mode'];
  return profile.target.topology === tree.get(['target', 'topology']) && shape.every((key) => isRight(['target', key]));
}

/** Certificates and secrets that are files must be there; what they hold is read when the connection is made. */
function checkFiles({ tree, problems }: Explainer, { target }: ProfileOutput, folder: string): void {
  if (target.topology !== 'external') return;
  const files: [Path, string | undefined][] = [
    [['target', 'password', 'file'], target.password?.file],
    ...(['ca', 'cert', 'key'] as const).map((key): [Path, string | undefined] => [['target', 'tls', key], target.tls?.[key]]),
  ];
  for (const [path, file] of files) {
    if (file !== undefined && !existsSync(resolve(folder, file)))
      problems.add(tree.place(path), `${String(path.at(-1))}: there is no file ${file}; the path is relative to the profile`);
  }
}

function targetPlan(target: ProfileOutput['target'], folder: string): TargetPlan {
  switch (target.topology) {
    case 'standalone':
      return { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: target.server, config: target.config };
    case 'replicated':
      return { kind: 'lab', topology: 'replicated', masters: 1, replicasPerMaster: target.replicas, server: target.server, config: target.config };
    case 'sentinel':
      return {
        kind: 'lab',
        topology: 'sentinel',
        masters: 1,
        replicasPerMaster: target.replicas,
        server: target.server,
        config: target.config,
        sentinel: {
          count: target.sentinels,
          quorum: target.quorum ?? Math.floor(target.sentinels / 2) + 1,
          downAfterMs: Math.round(target.downAfter / 1000),
          failoverTimeoutMs: Math.round(target.failoverTimeout / 1000),
        },
      };
    case 'cluster':
      return {
        kind: 'lab',
        topology: 'cluster',
        masters: target.masters,
        replicasPerMaster: target.replicasPerMaster,
        server: target.server,
        config: target.config,
      };
    case 'external': {
      const { url, mode, master, sentinels, username, password, tls } = target;
      const absolute = (file: string | undefined): string | null => (file === undefined ? null : resolve(folder, file));
      const secret =
        password?.env !== undefined
          ? { env: password.env }
          : password?.command !== undefined
            ? { command: password.command }
            : { file: absolute(password?.file) ?? '' };
      const tlsKeys = tls ?? { rejectUnauthorized: true };
      const tlsPlan = {
        ca: absolute(tls?.ca),
        cert: absolute(tls?.cert),
        key: absolute(tls?.key),
        serverName: tls?.serverName ?? null,
        rejectUnauthorized: tlsKeys.rejectUnauthorized,
      };
      return {
        kind: 'external',
        url,
        mode,
        ...(master === undefined ? {} : { masterName: master }),
        ...(sentinels === undefined ? {} : { sentinels }),
        username: username ?? null,
        password: password ? secret : null,
        tls: url.startsWith('rediss:') ? tlsPlan : null,
      };
    }
  }
}
