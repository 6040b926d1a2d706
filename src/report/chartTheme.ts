/** Colours and font of the charts, on light and on dark ground. Used by the page (its own toggle) and the picture (light). No Node imports. */

/** All CSS colours but `fontFamily`. */
export interface ChartTheme {
  text: string;
  mutedText: string;
  grid: string;
  background: string;
  ok: string;
  fail: string;
  info: string;
  dropped: string;
  planned: string;
  p50: string;
  p99: string;
  max: string;
  /** Ground of the warm-up. */
  warmUp: string;
  /** Border and label of a gap; the fill is the same, translucent. */
  gap: string;
  /** Lines of events. */
  mark: string;
  /** In turn, by how often a reason occurred. */
  reasons: string[];
  /** In turn, one per server. */
  servers: string[];
  fontFamily: string;
}

const fontFamily = 'Inter, system-ui, sans-serif';

export const lightTheme: ChartTheme = {
  text: '#1f2933',
  mutedText: '#616e7c',
  grid: '#e8ecf0',
  background: '#ffffff',
  ok: '#2f855a',
  fail: '#d64545',
  info: '#dd8a1a',
  dropped: '#8d7ac4',
  planned: '#9aa5b1',
  p50: '#2b6cb0',
  p99: '#c05621',
  max: '#b8a99a',
  warmUp: 'rgba(123, 135, 148, 0.10)',
  gap: '#b7791f',
  mark: '#52606d',
  reasons: ['#d64545', '#dd8a1a', '#8d7ac4', '#2c9aa0', '#b5557d', '#7b8794', '#6b8e23', '#a0522d'],
  servers: ['#2b6cb0', '#c05621', '#2f855a', '#805ad5', '#2c9aa0', '#b5557d', '#8a6d1a', '#52606d'],
  fontFamily,
};

export const darkTheme: ChartTheme = {
  text: '#e4e7eb',
  mutedText: '#9aa5b1',
  grid: '#2d3742',
  background: '#161b22',
  ok: '#48bb78',
  fail: '#f07178',
  info: '#f0b429',
  dropped: '#b3a3e6',
  planned: '#7b8794',
  p50: '#63b3ed',
  p99: '#f6ad55',
  max: '#7d7468',
  warmUp: 'rgba(154, 165, 177, 0.10)',
  gap: '#ecc94b',
  mark: '#9aa5b1',
  reasons: ['#f07178', '#f0b429', '#b3a3e6', '#4fd1c5', '#e78bb0', '#9aa5b1', '#a3c644', '#d08770'],
  servers: ['#63b3ed', '#f6ad55', '#48bb78', '#b794f4', '#4fd1c5', '#e78bb0', '#ecc94b', '#cbd2d9'],
  fontFamily,
};

/** A colour of three or six hex digits made translucent; any other colour is returned as it is. */
export function translucent(color: string, alpha: number): string {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color);
  const digits = short
    ? short
        .slice(1)
        .map((digit) => digit + digit)
        .join('')
    : /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (digits === undefined) return color;
  const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}
