/** The standard normal distribution, for draws and for expected sizes. Pure. */

/** Share of the distribution below x; error below 1e-14 (continued fraction beyond 3, series within). */
export function normalCdf(x: number): number {
  const abs = Math.abs(x);
  if (abs > 38) return x < 0 ? 0 : 1;
  const density = Math.exp((-abs * abs) / 2) / Math.sqrt(2 * Math.PI);
  let upper: number;
  if (abs < 3) {
    // Marsaglia, "Evaluating the Normal Distribution" (2004): 1/2 + φ(x)·(x + x³/3 + x⁵/15 + …).
    let term = abs;
    let sum = abs;
    for (let n = 3; term > 1e-17 * sum && n < 400; n += 2) {
      term *= (abs * abs) / n;
      sum += term;
    }
    upper = 0.5 - density * sum;
  } else {
    // Mills' ratio as Laplace's continued fraction.
    let fraction = abs;
    for (let n = 120; n >= 1; n--) fraction = abs + n / fraction;
    upper = density / fraction;
  }
  return x >= 0 ? 1 - upper : upper;
}

/**
 * HOT: where a share p, in (0, 1), of the distribution lies below. Acklam's rational approximation, relative error below 1.2e-9,
 * which is far finer than any key space.
 */
export function normalQuantile(p: number): number {
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const above =
    (((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r - 3.066479806614716e1) * r +
      2.506628277459239) *
    q;
  const below =
    ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r - 1.328068155288572e1) * r + 1;
  return above / below;
}

function tail(q: number): number {
  const above =
    ((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968) * q +
    2.938163982698783;
  const below = (((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1;
  return above / below;
}
