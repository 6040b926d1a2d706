/**
 * What the known server answers, and what a generator must therefore measure: behaviours, and their percentiles by arithmetic. Used by the
 * known server and the accuracy suite. Pure.
 */
import { unreachable } from '../base/assert.js';

export type Behaviour =
  /** Every answer exactly so long after its question. */
  | { kind: 'delay'; delayUs: number }
  /** Answers at once, but in the last `stallUs` of every `everyUs` not at all: what is asked then is answered at the end of it. */
  | { kind: 'stall'; everyUs: number; stallUs: number }
  /** `longShare` of the answers after `longUs`, the others after `shortUs`. */
  | { kind: 'two-point'; shortUs: number; longUs: number; longShare: number }
  | { kind: 'exponential'; meanUs: number }
  /** One queue, one server: operations one after the other, each takes 1 / opsPerSec. */
  | { kind: 'capacity'; opsPerSec: number };

/**
 * The response time that a fraction of all operations stays within, in µs. For arrivals at a constant rate (open loop), and with an
 * answer to one operation never waiting for another's, save at `capacity`, whose figure is that of a server that has nothing to do.
 */
export function quantileUs(behaviour: Behaviour, fraction: number): number {
  switch (behaviour.kind) {
    case 'delay':
      return behaviour.delayUs;
    case 'stall': {
      // A share s/e of all comes in a stall, evenly spread over it, and waits for the rest of it: P(longer than t) = (s − t) / e.
      return Math.max(0, behaviour.stallUs - (1 - fraction) * behaviour.everyUs);
    }
    case 'two-point':
      return fraction <= 1 - behaviour.longShare ? behaviour.shortUs : behaviour.longUs;
    case 'exponential':
      return -behaviour.meanUs * Math.log(1 - fraction);
    case 'capacity':
      return 1_000_000 / behaviour.opsPerSec;
    default:
      return unreachable(behaviour);
  }
}

/** (√5 − 1) / 2. */
const GOLDEN = 0.6180339887498949;

/**
 * When the answer to the i-th operation is due, for operations in the order of their arrival. Distributions are walked by the golden-ratio
 * sequence instead of being drawn: after n operations every quantile is met to within about 1/n, so that no deviation is chance.
 */
export class DueTimes {
  readonly #behaviour: Behaviour;
  #count = 0;
  #freeUs = 0;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  /** @param arrivedUs machine monotonic, as the result */
  next(arrivedUs: number): number {
    const behaviour = this.#behaviour;
    switch (behaviour.kind) {
      case 'delay':
        return arrivedUs + behaviour.delayUs;
      case 'stall': {
        const inPeriodUs = arrivedUs % behaviour.everyUs;
        const stallBeginsUs = behaviour.everyUs - behaviour.stallUs;
        return inPeriodUs < stallBeginsUs ? arrivedUs : arrivedUs + behaviour.everyUs - inPeriodUs;
      }
      case 'two-point':
      case 'exponential':
        return arrivedUs + quantileUs(behaviour, (++this.#count * GOLDEN) % 1);
      case 'capacity':
        this.#freeUs = Math.max(this.#freeUs, arrivedUs) + 1_000_000 / behaviour.opsPerSec;
        return this.#freeUs;
      default:
        return unreachable(behaviour);
    }
  }
}
