/** Holm's correction for several tests at once. Source: Holm 1979, "A simple sequentially rejective multiple test procedure". Pure. */

/**
 * Each p as it counts when all are asked together, in the given order; null (no test) stays null and is asked nothing. Also for p as shares of
 * levels that differ (Holm's weights). @param capsAtOne false for such shares
 */
export function holmAdjusted(pValues: readonly (number | null)[], capsAtOne = true): (number | null)[] {
  const tested = pValues.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((x, y) => x.p - y.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let atLeast = 0;
  tested.forEach(({ p, i }, rank) => {
    atLeast = Math.max(atLeast, p * (tested.length - rank));
    adjusted[i] = capsAtOne ? Math.min(1, atLeast) : atLeast;
  });
  return adjusted;
}
