/**
 * What a fault has for itself while it is in force: a setting of a node, a pause of its clients, the slots of the cluster. Two faults that
 * each restore "what was before" would restore each other's. One instance per run, made by the controller.
 */
import { KvbenchError } from '../base/errors.js';

export class Claims {
  readonly #holder = new Map<string, number>();

  /** @throws FAULT_FAILED when another fault has it */
  take(what: string, faultId: number): void {
    const holder = this.#holder.get(what);
    if (holder !== undefined && holder !== faultId) {
      throw new KvbenchError(
        'FAULT_FAILED',
        `${what} is in the hands of fault ${holder}`,
        'Inject it when that fault is healed: after: { fault: …, state: healed }.',
      );
    }
    this.#holder.set(what, faultId);
  }

  /** Does nothing when it is another's, or nobody's. */
  release(what: string, faultId: number): void {
    if (this.#holder.get(what) === faultId) this.#holder.delete(what);
  }
}
