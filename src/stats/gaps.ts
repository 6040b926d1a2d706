/**
 * Gaps: times in which a shard answered nothing although it was asked. From the spans of all workers, intersected; pure. `any` is the
 * union over shards, `all` the intersection. Called by summarize.ts; never looks at latency.
 */
import type { AccessKind } from '../plan/plan.js';
import type { EventOf } from '../result/records.js';
import { INTERVAL_US } from '../result/records.js';
import type { Gap } from '../result/summary.js';
import { causeOf, type FaultTimes } from './faultTimes.js';
import { accessKinds, type ShardActivity } from './shardActivity.js';

/** No gap is shorter. */
export const GAP_MIN_US = 100_000;
/** … nor shorter than this many times the expected time between operations. */
export const GAP_EXPECTED_INTERVALS = 5;
/** How far back the asked rate is taken from. */
const RATE_LOOKBACK_US = 5_000_000;

/** A gap in µs. */
export interface GapUs {
  shard: number | 'any' | 'all';
  kind: AccessKind;
  startUs: number;
  endUs: number;
  faultId: number | null;
  collateral: boolean;
  /** False: still open at the end of the records. */
  endedBySuccess: boolean;
  /** How much of it neither the usual time between operations nor a standstill of the workers themselves explains. */
  unexplainedUs: number;
}

export interface GapInput {
  spans: readonly EventOf<'span'>[];
  activity: ShardActivity;
  faults: readonly FaultTimes[];
  /** Exits of servers that no fault meant: on their shard they explain a gap better than a fault elsewhere. */
  unexpectedExits: readonly { shard: number; atUs: number }[];
  /** Gaps that lie wholly in one of these (warm-up) do not count. */
  ignore: readonly { startUs: number; endUs: number }[];
  /** How many workers the load has. */
  workers: number;
  /** The workers could not report what was open at the end. */
  cutOff: boolean;
}

/** A time without success of all workers so far, and what was asked in it. */
interface Piece {
  startUs: number;
  endUs: number;
  askedPerSec: number;
  bad: boolean;
  /** For how much of it the workers themselves stood still. */
  standstillUs: number;
}

/** All gaps: of each shard, then `any`, then `all`, each by start. */
export function findGaps(input: GapInput): GapUs[] {
  const shardsAsked = accessKinds.flatMap((kind) => input.activity.shardsAsked(kind).map((shard) => ({ shard, kind })));
  return combineGaps(
    shardsAsked.flatMap(({ shard, kind }) => shardGaps(shard, kind, input)),
    shardsAsked,
  );
}

/** Adds `any` and `all` to the gaps of shards. @param asked a shard that was asked nothing takes no part in `all` */
export function combineGaps(gaps: readonly GapUs[], asked: readonly { shard: number; kind: AccessKind }[]): GapUs[] {
  const combined = [...gaps];
  for (const kind of accessKinds) {
    const ofKind = gaps.filter((gap) => gap.kind === kind).sort((a, b) => a.startUs - b.startUs);
    const byShard = asked.filter((one) => one.kind === kind).map(({ shard }) => ofKind.filter((gap) => gap.shard === shard));
    combined.push(...union(ofKind, kind), ...intersection(byShard, kind));
  }
  const order = (gap: GapUs): number => (gap.shard === 'any' ? 1e6 : gap.shard === 'all' ? 2e6 : gap.shard);
  return combined.sort((a, b) => order(a) - order(b) || a.startUs - b.startUs || (a.kind < b.kind ? -1 : 1));
}

/** As `summary.json` has it. */
export function gapInMs(gap: GapUs): Gap {
  const { shard, kind, faultId, collateral } = gap;
  return { shard, kind, startMs: gap.startUs / 1000, endMs: gap.endUs / 1000, durationMs: (gap.endUs - gap.startUs) / 1000, faultId, collateral };
}

function shardGaps(shard: number, kind: AccessKind, input: GapInput): GapUs[] {
  const { activity, ignore } = input;
  const byWorker = spansByWorker(shard, kind, input.spans);
  const silent = byWorker.slice(1).reduce(intersectPieces, byWorker[0] ?? []);
  // A worker without any span either had no share of the shard, and must not prevent a gap, or succeeded all the time.
  const pieces = byWorker.length >= input.workers ? silent : withoutSuccesses(silent, shard, kind, activity);
  const openSinceUs = input.cutOff ? activity.trailingSilenceUs(shard, kind) : null;
  if (openSinceUs !== null && !pieces.some((piece) => piece.endUs > openSinceUs)) {
    pieces.push({ startUs: openSinceUs, endUs: activity.endUs, askedPerSec: 0, bad: true, standstillUs: 0 });
  }
  return pieces
    .filter((piece) => piece.bad && piece.endUs - piece.startUs > longestExpectedUs(piece, shard, kind, activity))
    .filter((piece) => !ignore.some((time) => piece.startUs >= time.startUs && piece.endUs <= time.endUs))
    .map((piece) => ({
      shard,
      kind,
      startUs: piece.startUs,
      endUs: piece.endUs,
      ...causeOfGap(shard, piece, input, longestExpectedUs(piece, shard, kind, activity)),
      endedBySuccess: activity.successEnds(shard, kind, piece.endUs),
      unexplainedUs: unexplainedUs(piece, longestExpectedUs(piece, shard, kind, activity)),
    }));
}

/** Of each worker that reported any: its times without a success there, by start. */
function spansByWorker(shard: number, kind: AccessKind, spans: readonly EventOf<'span'>[]): Piece[][] {
  const byWorker = new Map<number, Piece[]>();
  for (const span of spans) {
    if (span.shard !== shard || span.kind !== kind || span.endUs <= span.startUs) continue;
    const pieces = byWorker.get(span.worker) ?? [];
    pieces.push({
      startUs: span.startUs,
      endUs: span.endUs,
      askedPerSec: (span.asked * 1_000_000) / (span.endUs - span.startUs),
      bad: span.notOk > 0 || span.overdue,
      standstillUs: span.standstillUs ?? 0,
    });
    byWorker.set(span.worker, pieces);
  }
  return [...byWorker.values()].map((pieces) => pieces.sort((a, b) => a.startUs - b.startUs));
}

/** Touching pieces stay apart: where they touch was a success. */
function intersectPieces(a: Piece[], b: Piece[]): Piece[] {
  const result: Piece[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as Piece;
    const y = b[j] as Piece;
    const startUs = Math.max(x.startUs, y.startUs);
    const endUs = Math.min(x.endUs, y.endUs);
    const standstillUs = Math.min(x.standstillUs, y.standstillUs);
    if (endUs > startUs) result.push({ startUs, endUs, askedPerSec: x.askedPerSec + y.askedPerSec, bad: x.bad || y.bad, standstillUs });
    if (x.endUs <= y.endUs) i++;
    if (y.endUs <= x.endUs) j++;
  }
  return result;
}

/** Of a time in which some worker told nothing: what lies between whole intervals with a success, as far as a whole interval without one is in it. */
function withoutSuccesses(pieces: Piece[], shard: number, kind: AccessKind, activity: ShardActivity): Piece[] {
  return pieces.flatMap((piece) => {
    const rest: Piece[] = [];
    let startUs = piece.startUs;
    let silent = false;
    const first = Math.ceil(piece.startUs / INTERVAL_US);
    const end = Math.floor(piece.endUs / INTERVAL_US);
    for (let index = first; index < end; index++) {
      if (activity.okAt(shard, kind, index * INTERVAL_US) === 0) {
        silent = true;
        continue;
      }
      if (silent) rest.push({ ...piece, startUs, endUs: index * INTERVAL_US });
      startUs = (index + 1) * INTERVAL_US;
      silent = false;
    }
    if (silent) rest.push({ ...piece, startUs });
    return rest;
  });
}

/** A silence up to this long is nothing strange. By what was asked before and in it: in closed loop an outage itself keeps clients from asking. */
function longestExpectedUs(piece: Piece, shard: number, kind: AccessKind, activity: ShardActivity): number {
  const beforePerSec = activity.ratePerSec(shard, kind, piece.startUs - RATE_LOOKBACK_US, piece.startUs);
  const ratePerSec = Math.max(beforePerSec, piece.askedPerSec);
  return ratePerSec === 0 ? GAP_MIN_US : Math.max(GAP_MIN_US, (GAP_EXPECTED_INTERVALS * 1_000_000) / ratePerSec);
}

function unexplainedUs({ startUs, endUs, standstillUs }: Piece, expectedUs: number): number {
  return Math.max(0, endUs - startUs - standstillUs - expectedUs);
}

function causeOfGap(shard: number, piece: Piece, input: GapInput, slackUs: number): { faultId: number | null; collateral: boolean } {
  const cause = causeOf(shard, piece.startUs, piece.endUs, input.faults, slackUs);
  const ownExit = input.unexpectedExits.some(
    (exit) => exit.shard === shard && exit.atUs >= piece.startUs - RATE_LOOKBACK_US && exit.atUs <= piece.endUs,
  );
  return cause.collateral && ownExit ? { faultId: null, collateral: false } : cause;
}

/** Who is to blame for several silences at once: a shard that was hit itself, before those that suffered. */
function sharedCause(gaps: readonly GapUs[]): Pick<GapUs, 'faultId' | 'collateral'> {
  const cause = gaps.find((gap) => gap.faultId !== null && !gap.collateral) ?? gaps.find((gap) => gap.faultId !== null) ?? gaps[0];
  return { faultId: cause?.faultId ?? null, collateral: cause?.collateral ?? false };
}

/** @param gaps by start */
function union(gaps: readonly GapUs[], kind: AccessKind): GapUs[] {
  const groups: { startUs: number; endUs: number; of: GapUs[] }[] = [];
  for (const gap of gaps) {
    const last = groups.at(-1);
    if (last && gap.startUs < last.endUs) {
      last.endUs = Math.max(last.endUs, gap.endUs);
      last.of.push(gap);
    } else {
      groups.push({ startUs: gap.startUs, endUs: gap.endUs, of: [gap] });
    }
  }
  return groups.map(({ startUs, endUs, of }) => ({
    shard: 'any',
    kind,
    startUs,
    endUs,
    ...sharedCause(of),
    endedBySuccess: of.filter((gap) => gap.endUs === endUs).every((gap) => gap.endedBySuccess),
    unexplainedUs: Math.max(...of.map((gap) => gap.unexplainedUs)),
  }));
}

function intersection(byShard: readonly GapUs[][], kind: AccessKind): GapUs[] {
  type Common = { startUs: number; endUs: number; of: GapUs[] };
  const start: Common[] = (byShard[0] ?? []).map((gap) => ({ startUs: gap.startUs, endUs: gap.endUs, of: [gap] }));
  const common = byShard.slice(1).reduce<Common[]>(
    (so, gaps) =>
      so.flatMap((time) =>
        gaps.flatMap((gap) => {
          const startUs = Math.max(time.startUs, gap.startUs);
          const endUs = Math.min(time.endUs, gap.endUs);
          return endUs > startUs ? [{ startUs, endUs, of: [...time.of, gap] }] : [];
        }),
      ),
    start,
  );
  return common
    .filter(({ startUs, endUs }) => endUs - startUs > GAP_MIN_US)
    .map(({ startUs, endUs, of }) => ({
      shard: 'all',
      kind,
      startUs,
      endUs,
      ...sharedCause(of),
      endedBySuccess: of.some((gap) => gap.endUs === endUs && gap.endedBySuccess),
      unexplainedUs: Math.min(...of.map((gap) => gap.unexplainedUs)),
    }));
}
