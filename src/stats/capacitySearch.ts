/**
 * The search for the highest rate that holds, as a pure function of the trials so far: what to try next, or what was found. Used by
 * cli/capacity.ts while it runs and by capacitySummary.ts from the folder. It runs nothing and knows no clock.
 */
import type { CapacityLimit, TrialPurpose, TrialVerdict } from '../result/group.js';

export interface SearchSettings {
  minRatePerSec: number;
  maxRatePerSec: number;
  /** 0..1, of the highest rate that holds. */
  precision: number;
  confirm: number;
}

export interface TrialOutcome {
  rateOpsPerSec: number;
  verdict: TrialVerdict;
}

export interface SearchFindings {
  /** Highest rate that holds and no later trial took back; null: none yet. */
  holdsOpsPerSec: number | null;
  /** Lowest rate that failed, above that; null: none. */
  failsOpsPerSec: number | null;
  limitedBy: CapacityLimit;
  confirmed: boolean;
}

export type SearchStep =
  | { kind: 'trial'; rateOpsPerSec: number; purpose: TrialPurpose; findings: SearchFindings }
  | { kind: 'done'; findings: SearchFindings };

const GROWTH = 2;
/** A failure that ends the growth, or the search, is worth a second look: all that follows builds on it. */
const DECISIVE_FAILURES = 2;
/** How often the search goes on upwards because the rate above what it found, tried again, held after all. */
const REOPENINGS = 2;
/** How often a confirmation is tried again because the generator was late: that says nothing against the rate. */
const EXCUSES = 2;

/** What comes after these trials. Throws nothing; trials of rates that the search would not have asked for are a bug of the caller. */
export function capacityStep(settings: SearchSettings, trials: readonly TrialOutcome[]): SearchStep {
  const search = new Search(settings);
  for (const { verdict } of trials) search.record(verdict);
  return search.step();
}

/** No search has more trials than this. */
export function maxTrials({ minRatePerSec, maxRatePerSec, precision, confirm }: SearchSettings): number {
  const growth = Math.ceil(Math.log2(maxRatePerSec / minRatePerSec) - 1e-9) + 1;
  const bisection = Math.max(0, Math.ceil(Math.log2(Math.log(GROWTH) / Math.log(1 + precision)) - 1e-9) + 1);
  const bisections = bisection * (1 + REOPENINGS) + REOPENINGS + 1;
  // Each step down is twice as long as the one before; the last may be to the lowest rate.
  const stepsDown = Math.ceil(Math.log2(1 / precision)) + 2;
  return growth + 1 + (DECISIVE_FAILURES - 1) + bisections + (stepsDown + 1 + REOPENINGS) * (confirm + EXCUSES);
}

/** How many trials it takes when nothing goes wrong twice and the capacity is the highest rate. */
export function usualTrials(settings: SearchSettings): number {
  const { minRatePerSec, maxRatePerSec, precision, confirm } = settings;
  const growth = Math.ceil(Math.log2(maxRatePerSec / minRatePerSec) - 1e-9) + 1;
  return growth + DECISIVE_FAILURES - 1 + Math.max(0, Math.ceil(Math.log2(Math.log(GROWTH) / Math.log(1 + precision)))) + confirm + 1;
}

interface Failure {
  rate: number;
  by: 'server' | 'generator';
  /** A single trial says so. */
  isWeak: boolean;
}

class Search {
  readonly #settings: SearchSettings;
  #stage: 'growth' | 'bisection' | 'confirmation' | 'ceiling' | 'done' = 'growth';
  #rate: number;
  #low: number | null = null;
  #high: Failure | null = null;
  /** Rates that failed, in the order they did. */
  readonly #failed: Failure[] = [];
  #reopenings = 0;
  /** Failures in a row at the rate that decides. */
  #failures = 0;
  #confirmations = 0;
  #stepsDown = 0;
  /** At the rate that is being confirmed. */
  #excuses = 0;

  constructor(settings: SearchSettings) {
    this.#settings = settings;
    this.#rate = settings.minRatePerSec;
  }

  record(verdict: TrialVerdict): void {
    switch (this.#stage) {
      case 'growth':
        this.#grow(verdict);
        break;
      case 'bisection':
        if (verdict === 'holds') this.#low = this.#rate;
        else this.#fail(verdict, true);
        this.#bisect();
        break;
      case 'ceiling':
        this.#lookAbove(verdict);
        break;
      case 'confirmation':
        this.#confirm(verdict);
        break;
      case 'done':
        break;
    }
  }

  step(): SearchStep {
    const findings = this.#findings();
    if (this.#stage === 'done') return { kind: 'done', findings };
    const purpose: TrialPurpose = this.#stage === 'ceiling' || (this.#stage === 'growth' && this.#failures > 0) ? 'repeat' : this.#stage;
    return { kind: 'trial', rateOpsPerSec: this.#rate, purpose, findings };
  }

  #grow(verdict: TrialVerdict): void {
    const { maxRatePerSec } = this.#settings;
    if (verdict !== 'holds') {
      if (++this.#failures < DECISIVE_FAILURES) return;
      this.#fail(verdict);
      if (this.#low === null) this.#stage = 'done';
      else this.#bisect();
      return;
    }
    this.#failures = 0;
    this.#low = this.#rate;
    if (this.#rate >= maxRatePerSec) this.#stage = 'confirmation';
    else this.#rate = Math.min(maxRatePerSec, this.#rate * GROWTH);
  }

  /** The geometric middle of what is left, to a whole number; or on to the confirmation. */
  #bisect(): void {
    const low = this.#low as number;
    const high = (this.#high as { rate: number }).rate;
    const middle = Math.round(Math.sqrt(low * high));
    const isNarrow = high <= low * (1 + this.#settings.precision) || middle <= low || middle >= high;
    this.#stage = isNarrow ? 'confirmation' : 'bisection';
    this.#rate = isNarrow ? low : middle;
  }

  #confirm(verdict: TrialVerdict): void {
    const { minRatePerSec, precision, confirm } = this.#settings;
    if (verdict === 'holds') {
      this.#low = this.#rate;
      if (++this.#confirmations < confirm) return;
      const looksAbove = this.#high?.isWeak === true && this.#reopenings < REOPENINGS;
      this.#stage = looksAbove ? 'ceiling' : 'done';
      if (looksAbove) this.#rate = this.#high?.rate ?? this.#rate;
      return;
    }
    if (verdict === 'generator' && this.#excuses < EXCUSES) {
      this.#excuses++;
      return;
    }
    this.#fail(verdict);
    this.#confirmations = 0;
    this.#excuses = 0;
    this.#low = null;
    if (this.#rate <= minRatePerSec) {
      this.#stage = 'done';
      return;
    }
    const share = precision * 2 ** this.#stepsDown++;
    this.#rate = Math.max(minRatePerSec, Math.floor(this.#rate * (1 - Math.min(share, 1))));
  }

  /** The rate above, tried again: one bad trial on the way must not hide what lies beyond it. */
  #lookAbove(verdict: TrialVerdict): void {
    if (verdict !== 'holds') {
      this.#fail(verdict);
      this.#stage = 'done';
      return;
    }
    this.#reopenings++;
    this.#confirmations = 0;
    this.#excuses = 0;
    this.#low = this.#rate;
    // There is one: what ended the growth failed twice, and lies above all that was tried since.
    this.#high = this.#failed.filter(({ rate }) => rate > this.#rate).sort((a, b) => a.rate - b.rate)[0] ?? null;
    if (this.#high === null) this.#stage = 'confirmation';
    else this.#bisect();
  }

  #fail(verdict: 'fails' | 'generator', isWeak = false): void {
    this.#high = { rate: this.#rate, by: verdict === 'fails' ? 'server' : 'generator', isWeak };
    this.#failed.push(this.#high);
  }

  #findings(): SearchFindings {
    return {
      holdsOpsPerSec: this.#low,
      failsOpsPerSec: this.#high?.rate ?? null,
      limitedBy: this.#high?.by ?? 'range',
      confirmed: (this.#stage === 'done' || this.#stage === 'ceiling') && this.#low !== null,
    };
  }
}
