/** Words of the contract that this version does not have yet. Delete a line when its word arrives; the message goes with it. */

/** Key (by its last name) → values that will come. */
const laterValues: Readonly<Record<string, readonly string[]>> = {};

/** Metrics that need something that this version does not have, and what. */
export const laterMetrics: Readonly<Record<string, string>> = {
  lost_writes: 'lost_writes needs the ledger, which this version does not have yet; remove this threshold',
};

export function isLaterValue(key: string, value: unknown): boolean {
  return typeof value === 'string' && (laterValues[key]?.includes(value) ?? false);
}
