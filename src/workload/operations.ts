/** Which operation comes i-th: a weighted choice that is a pure function of (seed, i). Called per operation; never draws by itself. */
import { assert } from '../base/assert.js';
import { RandomStream, Stream } from '../base/random.js';
import { traitsOf, weightsOf } from '../plan/operations.js';
import type { OperationIndex, WorkloadPlan } from '../plan/plan.js';

const UINT32_RANGE = 0x1_0000_0000;

/** Closed phase p has its operations from (p + 1) × this on, open phases together those below it: sequences do not overlap. */
export const OPERATIONS_PER_PHASE = 2 ** 34;

/** A GET and, when it is answered, a SET of the same key. Beyond the index of any operation. */
export const READ_MODIFY_WRITE = 255;
/** An operation's index, or READ_MODIFY_WRITE. */
export type MixIndex = OperationIndex;

/** Of the custom commands. */
const FIRST_COMMAND = 4;

/** HOT: chooses operations by weight; the weights' resolution is 2^-32. */
export class OperationMix {
  readonly #stream: RandomStream;
  /** A draw below the first bound is a get, below the second a set, below the third an incr, below the last a del. */
  readonly #getBound: number;
  readonly #setBound: number;
  readonly #incrBound: number;
  readonly #delBound: number;
  readonly #pairBound: number;
  /** Of each custom command. */
  readonly #commandBounds: Float64Array;
  readonly #reads: Uint8Array;

  /** @param workload.readModifyWrite the share of the gets and sets that are pairs */
  constructor(seed: number, workload: Pick<WorkloadPlan, 'operations' | 'readModifyWrite' | 'commands'>) {
    const { readModifyWrite } = workload;
    const [get = 0, set = 0, incr = 0, del = 0, ...commands] = weightsOf(workload);
    const weights = [get - readModifyWrite, set - readModifyWrite, incr, del, readModifyWrite, ...commands];
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    assert(total > 0 && weights.every((weight) => weight >= 0), `operation weights ${weights}`);
    this.#stream = new RandomStream(seed, Stream.operation);
    // What comes last takes the rest, so that rounding never lets in what has no weight.
    const lastWeighted = weights.findLastIndex((weight) => weight > 0);
    const boundOf = (last: number): number =>
      last >= lastWeighted ? UINT32_RANGE : (weights.slice(0, last + 1).reduce((sum, weight) => sum + weight, 0) / total) * UINT32_RANGE;
    this.#getBound = boundOf(0);
    this.#setBound = boundOf(1);
    this.#incrBound = boundOf(2);
    this.#delBound = boundOf(3);
    this.#pairBound = boundOf(4);
    this.#commandBounds = Float64Array.from(commands, (_, at) => boundOf(at + 5));
    this.#reads = traitsOf(workload).reads;
  }

  /** The operation of index i (0..2^53). */
  opOf(i: number): MixIndex {
    const draw = this.#stream.u32(i);
    if (draw < this.#getBound) return 0;
    if (draw < this.#setBound) return 1;
    if (draw < this.#incrBound) return 2;
    if (draw < this.#delBound) return 3;
    return draw < this.#pairBound ? READ_MODIFY_WRITE : this.#commandOf(draw);
  }

  #commandOf(draw: number): MixIndex {
    let at = 0;
    while (draw >= (this.#commandBounds[at] as number)) at++;
    return FIRST_COMMAND + at;
  }

  /** Whether operation i writes its key, at once or in the end. */
  isWrite(i: number): boolean {
    return this.#reads[this.opOf(i)] === 0;
  }
}
