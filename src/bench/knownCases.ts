/** The cases of the accuracy suite: what the known server does, the load, and how far off a figure may be. Used by accuracy.ts and cases.ts. Pure data. */
import type { Behaviour } from './knownAnswer.js';
import type { KvbenchLoad } from './kvbenchRun.js';

/** A figure is right when it is this close, or this fraction. */
const TOLERANCE_US = 150;
const TOLERANCE_RATIO = 0.02;
const STALL_TOLERANCE_US = 20_000;
export const STALL_PERIOD_US = 10_000_000;
const CAPACITY_CLIENTS = 20;

export interface KnownCase {
  id: string;
  title: string;
  behaviour: Behaviour;
  percentiles: readonly number[];
  load: Partial<KvbenchLoad> & Pick<KvbenchLoad, 'connections' | 'intensity'>;
  toleranceUs(expectedUs: number): number;
  /** Of a closed loop at its limit; null in open loop. */
  capacity: { opsPerSec: number; responseUs: number } | null;
  /** By an independent program in the same time; not where its operations would change the answer. */
  isProbed: boolean;
  /** On a machine that quietMachine.ts keeps quiet: what is late then, the programs made late. */
  isQuiet: boolean;
}

const usual = (expectedUs: number): number => Math.max(TOLERANCE_US, expectedUs * TOLERANCE_RATIO);
/** So many connections that no answer has to wait for the one before it. */
const openLoop = { connections: 100, intensity: { rate: '2000/s' } };

function delayCase(delayMs: number, isQuiet: boolean): KnownCase {
  return {
    id: `${isQuiet ? 'quiet-' : ''}delay-${delayMs}ms`,
    title: `fixed delay of ${delayMs} ms, 2,000/s${isQuiet ? ', on a quiet machine' : ''}`,
    behaviour: { kind: 'delay', delayUs: delayMs * 1000 },
    percentiles: [50, 75, 90, 95, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: true,
    isQuiet,
  };
}

export const knownCases: readonly KnownCase[] = [
  ...[1, 5, 20].map((delayMs) => delayCase(delayMs, false)),
  ...[1, 5, 20].map((delayMs) => delayCase(delayMs, true)),
  {
    id: 'stall',
    title: 'stall of 1 s in 10 s, 1,000/s, at most 50 in flight',
    behaviour: { kind: 'stall', everyUs: STALL_PERIOD_US, stallUs: 1_000_000 },
    percentiles: [92, 95, 99],
    // What has waited goes out 50 at a time once the stall is over. That takes as long as the programs need for it and is no part of the
    // known answer: over few connections they need the least.
    load: { connections: 2, intensity: { rate: '1000/s' }, more: { maxInFlight: 50 } },
    toleranceUs: () => STALL_TOLERANCE_US,
    capacity: null,
    isProbed: false,
    isQuiet: false,
  },
  {
    id: 'two-point',
    title: '95 % after 1 ms, 5 % after 10 ms, 2,000/s',
    behaviour: { kind: 'two-point', shortUs: 1_000, longUs: 10_000, longShare: 0.05 },
    percentiles: [50, 90, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: false,
    isQuiet: false,
  },
  {
    id: 'exponential',
    title: 'exponential with a mean of 5 ms, 2,000/s',
    behaviour: { kind: 'exponential', meanUs: 5_000 },
    percentiles: [50, 90, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: false,
    isQuiet: false,
  },
  {
    id: 'capacity',
    title: `a server that does 5,000/s, ${CAPACITY_CLIENTS} clients in a closed loop`,
    behaviour: { kind: 'capacity', opsPerSec: 5_000 },
    percentiles: [50, 99],
    load: { connections: CAPACITY_CLIENTS, intensity: { clients: CAPACITY_CLIENTS, pipeline: 1 } },
    toleranceUs: usual,
    capacity: { opsPerSec: 5_000, responseUs: (CAPACITY_CLIENTS / 5_000) * 1_000_000 },
    isProbed: false,
    isQuiet: false,
  },
];
