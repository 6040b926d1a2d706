/**
 * How long the blocks of a block bootstrap have to be so that what hangs together stays together. Pure.
 * Source: Politis & White 2004, "Automatic block-length selection for the dependent bootstrap", with the correction of Patton, Politis &
 * White 2009, for the circular block bootstrap; never below the cube root of the length (Hall, Horowitz & Jing 1995).
 */

/** Lags in a row that must be insignificant, and their limit in standard errors: both as the authors recommend. */
const QUIET_LAGS = 5;
const QUIET_LIMIT = 2;

/** In units of the series; from 1 to a third of its length. */
export function blockLength(series: readonly number[]): number {
  const n = series.length;
  const shortest = Math.max(1, Math.ceil(Math.cbrt(n)));
  const longest = Math.max(1, Math.floor(n / 3));
  return Math.min(longest, Math.max(shortest, Math.ceil(optimal(series))));
}

function optimal(series: readonly number[]): number {
  const n = series.length;
  const covariances = autocovariances(series, Math.min(n - 1, Math.ceil(Math.sqrt(n)) + QUIET_LAGS));
  const variance = covariances[0] ?? 0;
  if (!(variance > 0) || n < 4) return 1;
  const limit = QUIET_LIMIT * Math.sqrt(Math.log10(n) / n);
  let lag = 0;
  while (lag + 1 < covariances.length && !isQuiet(covariances, lag + 1, limit * variance)) lag++;
  const bandwidth = Math.min(covariances.length - 1, 2 * Math.max(1, lag));
  let g = 0;
  let spectrum = variance;
  for (let k = 1; k <= bandwidth; k++) {
    const weighted = flatTop(k / bandwidth) * (covariances[k] as number);
    g += 2 * k * weighted;
    spectrum += 2 * weighted;
  }
  const d = (4 / 3) * spectrum * spectrum;
  return d > 0 ? Math.cbrt((2 * g * g) / d) * Math.cbrt(n) : 1;
}

function isQuiet(covariances: readonly number[], from: number, limit: number): boolean {
  return covariances.slice(from, from + QUIET_LAGS).every((covariance) => Math.abs(covariance) < limit);
}

/** The trapezoid window: 1 up to a half, then down to 0 at 1. */
function flatTop(x: number): number {
  return x <= 0.5 ? 1 : Math.max(0, 2 * (1 - x));
}

function autocovariances(series: readonly number[], lags: number): number[] {
  const n = series.length;
  const mean = series.reduce((sum, value) => sum + value, 0) / n;
  return Array.from({ length: lags + 1 }, (_, lag) => {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += ((series[i] as number) - mean) * ((series[i - lag] as number) - mean);
    return sum / n;
  });
}
