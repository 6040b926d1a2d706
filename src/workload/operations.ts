/** Which operation comes i-th: a weighted choice that is a pure function of (seed, i). Called per operation; never draws by itself. */
import { assert } from '../base/assert.js';
import { RandomStream, Stream } from '../base/random.js';
import { type OperationIndex, type OperationName, operationNames } from '../plan/plan.js';

const UINT32_RANGE = 0x1_0000_0000;

/** HOT: chooses operations by weight; the weights' resolution is 2^-32. */
export class OperationMix {
  readonly #stream: RandomStream;
  /** A draw below the first bound is a get, below the second a set, below the third an incr, else a del. */
  readonly #getBound: number;
  readonly #setBound: number;
  readonly #incrBound: number;

  /** @param weights ≥ 0, at least one > 0 */
  constructor(seed: number, weights: Record<OperationName, number>) {
    const total = operationNames.reduce((sum, name) => sum + weights[name], 0);
    assert(total > 0, 'operation weights add up to nothing');
    this.#stream = new RandomStream(seed, Stream.operation);
    this.#getBound = (weights.get / total) * UINT32_RANGE;
    this.#setBound = ((weights.get + weights.set) / total) * UINT32_RANGE;
    this.#incrBound = weights.del === 0 ? UINT32_RANGE : ((weights.get + weights.set + weights.incr) / total) * UINT32_RANGE;
  }

  /** The operation of index i (0..2^53). */
  opOf(i: number): OperationIndex {
    const draw = this.#stream.u32(i);
    if (draw < this.#getBound) return 0;
    if (draw < this.#setBound) return 1;
    return draw < this.#incrBound ? 2 : 3;
  }
}
