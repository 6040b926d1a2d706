/** The generalised harmonic number behind zipfian keys; computed once per worker. Pure. */

/** Up to here term by term; beyond it Euler–Maclaurin, whose next term is below 1e-13 there. */
const EXACT_TERMS = 1_000_000;

/** Sum over k = 1..count of k^-theta, for theta in (0, 1). O(min(count, 10^6)). */
export function zeta(count: number, theta: number): number {
  const exactTerms = Math.min(count, EXACT_TERMS);
  let sum = 0;
  for (let k = 1; k <= exactTerms; k++) sum += k ** -theta;
  if (count === exactTerms) return sum;
  const integral = (count ** (1 - theta) - exactTerms ** (1 - theta)) / (1 - theta);
  const ends = (count ** -theta - exactTerms ** -theta) / 2;
  const slopes = (-theta * (count ** (-theta - 1) - exactTerms ** (-theta - 1))) / 12;
  return sum + integral + ends + slopes;
}
