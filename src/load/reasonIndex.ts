/** Reasons as the small integers that the hot path carries. Used by the engine and the clients. */
import { type Reason, reasons } from '../result/records.js';

/** Reason → its index in `reasons`. */
export const reasonIndex = Object.fromEntries(reasons.map((reason, index) => [reason, index])) as Record<Reason, number>;

/** The reason of an ok. */
export const NO_REASON = -1;
