/** Which operation comes i-th: a weighted choice that is a pure function of (seed, i). Called per operation; never draws by itself. */
import { assert } from '../base/assert.js';
import { RandomStream, Stream } from '../base/random.js';
import { type OperationIndex, operationNames, type WorkloadPlan } from '../plan/plan.js';

const UINT32_RANGE = 0x1_0000_0000;

/** Closed phase p has its operations from (p + 1) × this on, open phases together those below it: sequences do not overlap. */
export const OPERATIONS_PER_PHASE = 2 ** 34;

/** A GET and, when it is answered, a SET of the same key. */
export const READ_MODIFY_WRITE = 4;
export type MixIndex = OperationIndex | typeof READ_MODIFY_WRITE;

/** HOT: chooses operations by weight; the weights' resolution is 2^-32. */
export class OperationMix {
  readonly #stream: RandomStream;
  /** A draw below the first bound is a get, below the second a set, below the third an incr, below the last a del. */
  readonly #getBound: number;
  readonly #setBound: number;
  readonly #incrBound: number;
  readonly #delBound: number;

  /** @param readModifyWrite the share of the gets and sets that are pairs */
  constructor(seed: number, { operations, readModifyWrite }: Pick<WorkloadPlan, 'operations' | 'readModifyWrite'>) {
    const weights = [operations.get - readModifyWrite, operations.set - readModifyWrite, operations.incr, operations.del, readModifyWrite];
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    assert(total > 0 && weights.length === operationNames.length + 1 && weights.every((weight) => weight >= 0), `operation weights ${weights}`);
    this.#stream = new RandomStream(seed, Stream.operation);
    // What comes last takes the rest, so that rounding never lets in what has no weight.
    const lastWeighted = weights.findLastIndex((weight) => weight > 0);
    const boundOf = (last: number): number =>
      last >= lastWeighted ? UINT32_RANGE : (weights.slice(0, last + 1).reduce((sum, weight) => sum + weight, 0) / total) * UINT32_RANGE;
    this.#getBound = boundOf(0);
    this.#setBound = boundOf(1);
    this.#incrBound = boundOf(2);
    this.#delBound = boundOf(3);
  }

  /** The operation of index i (0..2^53). */
  opOf(i: number): MixIndex {
    const draw = this.#stream.u32(i);
    if (draw < this.#getBound) return 0;
    if (draw < this.#setBound) return 1;
    if (draw < this.#incrBound) return 2;
    return draw < this.#delBound ? 3 : READ_MODIFY_WRITE;
  }

  /** Whether operation i writes its key, at once or in the end. */
  isWrite(i: number): boolean {
    return this.opOf(i) !== 0;
  }
}
