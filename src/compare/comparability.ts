/**
 * What differs between the two sides of a comparison, and whether that is too much for what was asked. Pure; called by compare.ts. What
 * differs is told in words (`target.config.cluster-node-timeout: 2000 → 4000`), not as digests.
 */
import { KvbenchError } from '../base/errors.js';
import type { RunRecord } from '../result/records.js';
import type { CompareLevel, Difference } from './comparison.js';
import type { LoadedSide } from './loadSide.js';

type Area = Difference['area'];

/** What each level does not forgive. */
const refused: Readonly<Record<CompareLevel, ReadonlySet<Area>>> = {
  strict: new Set(['load', 'workload', 'faults', 'client', 'target', 'server', 'machine', 'seed', 'kvbench']),
  machine: new Set(['load', 'workload', 'faults', 'machine']),
  profile: new Set(['load', 'workload', 'faults']),
  any: new Set(),
};

/** Virtual machines of one size do not agree on their memory to the byte. */
const MEMORY_TOLERANCE = 0.05;
/** Of one area, in a message. */
const SHOWN_LIMIT = 4;

/** All that differs between the first runs of the sides, and within a side. */
export function differencesOf(base: LoadedSide, candidate: LoadedSide): Difference[] {
  const first = base.runs[0]?.data.run;
  const second = candidate.runs[0]?.data.run;
  return first === undefined || second === undefined ? [] : differencesBetween(first, second);
}

/** Throws NOT_COMPARABLE: the sides differ, or the runs of one side do among themselves, in what the level does not forgive. */
export function assertComparable(base: LoadedSide, candidate: LoadedSide, level: CompareLevel): void {
  for (const side of [base, candidate]) assertOneThing(side, level);
  refuse(differencesOf(base, candidate), level, 'the two sides');
}

function assertOneThing({ runs, source }: LoadedSide, level: CompareLevel): void {
  const first = runs[0]?.data.run;
  for (const { data } of runs.slice(1)) {
    if (first)
      refuse(
        differencesBetween(first, data.run).filter(({ area }) => area !== 'seed'),
        level,
        `the runs of ${source}`,
      );
  }
}

function refuse(differences: readonly Difference[], level: CompareLevel, who: string): void {
  const wrong = differences.filter(({ area }) => refused[level].has(area));
  if (wrong.length === 0) return;
  const shown = wrong.slice(0, SHOWN_LIMIT).map(({ what, base, candidate }) => `${what}: ${base} → ${candidate}`);
  const more = wrong.length > SHOWN_LIMIT ? `, and ${wrong.length - SHOWN_LIMIT} more` : '';
  const looser = wrong.some(({ area }) => refused.profile.has(area)) ? 'any' : 'profile';
  throw new KvbenchError(
    'NOT_COMPARABLE',
    `${who} cannot be compared as asked (--compare ${level}): ${shown.join('; ')}${more}`,
    `Compare runs of the same profile, or say --compare ${looser} if the difference is what you ask about.`,
  );
}

function differencesBetween(a: RunRecord, b: RunRecord): Difference[] {
  const { phases: phasesA, workload: workloadA, ...clientA } = a.plan.load;
  const { phases: phasesB, workload: workloadB, ...clientB } = b.plan.load;
  const target = ({ plan }: RunRecord) => ({ ...plan.target, url: null, server: null, username: null, password: null });
  return [
    ...changes('load', 'load.phases', phasesA, phasesB),
    ...changes('workload', 'load.workload', { ...workloadA, name: null }, { ...workloadB, name: null }),
    ...changes('faults', 'chaos', a.plan.chaos.map(faultOf), b.plan.chaos.map(faultOf)),
    ...changes('client', 'load', clientA, clientB),
    ...changes('target', 'target', target(a), target(b)),
    ...changes('target', 'toxiproxy', a.plan.toxiproxy.kind, b.plan.toxiproxy.kind),
    ...changes('server', 'server', serverOf(a), serverOf(b)),
    ...machineDifferences(a.machine, b.machine),
    ...changes('seed', 'seed', a.plan.seed, b.plan.seed),
    ...changes('kvbench', 'kvbench', a.kvbenchVersion, b.kvbenchVersion),
  ];
}

/** Without what the seed drew, which is compared on its own. */
function faultOf(fault: RunRecord['plan']['chaos'][number]): unknown {
  const { shading: _shading, selector, ...rest } = fault;
  return { ...rest, selector: selector?.text ?? null };
}

function serverOf({ target }: RunRecord): unknown {
  return target === null ? null : { version: `${target.server} ${target.version}`, settings: target.settings };
}

function machineDifferences(a: RunRecord['machine'], b: RunRecord['machine']): Difference[] {
  const plain = ({ cpus, cpuModel, platform, node }: RunRecord['machine']) => ({ cpus, cpuModel, platform, node });
  const memory =
    Math.abs(a.memoryBytes - b.memoryBytes) > MEMORY_TOLERANCE * a.memoryBytes
      ? changes('machine', 'machine.memoryBytes', a.memoryBytes, b.memoryBytes)
      : [];
  return [...changes('machine', 'machine', plain(a), plain(b)), ...memory];
}

/** The leaves at which two values differ. */
function changes(area: Area, what: string, a: unknown, b: unknown): Difference[] {
  if (isTree(a) && isTree(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys.flatMap((key) => changes(area, `${what}.${key}`, (a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
  }
  const [before, after] = [textOf(a), textOf(b)];
  return before === after ? [] : [{ area, what, base: before, candidate: after }];
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return isTree(value) ? JSON.stringify(value) : String(value);
}
