/** Holm's correction for several tests at once. Source: Holm 1979, "A simple sequentially rejective multiple test procedure". Pure. */

/** Each p as it counts when all are asked together, in the given order; null (no test) stays null and is asked nothing. */
export function holmAdjusted(pValues: readonly (number | null)[]): (number | null)[] {
  const tested = pValues.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((x, y) => x.p - y.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let atLeast = 0;
  tested.forEach(({ p, i }, rank) => {
    atLeast = Math.max(atLeast, Math.min(1, p * (tested.length - rank)));
    adjusted[i] = atLeast;
  });
  return adjusted;
}
