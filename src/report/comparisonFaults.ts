/** What each fault did to either side: its milestones as bars and figures side by side. Called by comparisonPage.ts; pure. */
import { formatUs } from '../base/units.js';
import type { Spread } from '../result/runsGroup.js';
import type { FaultSummary, Summary } from '../result/summary.js';
import { spreadOf } from '../stats/groupSummary.js';
import type { OverlayInput, SideName } from './comparisonOverlay.js';
import { spaced } from './pageFormat.js';
import { type Column, groupedTable, type Html, type HtmlValue, html } from './pageHtml.js';

const BAR_WIDTH = 200;
const BAR_HEIGHT = 14;

export const faultStyle = `
@media print { .parts { width: 100px; } #faults th, #faults td { white-space: normal; } }
.parts { width: ${BAR_WIDTH}px; height: ${BAR_HEIGHT}px; display: block; }
.parts .detection, .key .detection { fill: var(--ink); } .parts .election, .key .election { fill: var(--soft); } .parts .client, .key .client { fill: var(--strong); }
.parts .whole, .key .whole { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.key { display: inline-flex; gap: 5px; align-items: baseline; margin-right: 14px; } .key svg { width: 12px; height: 10px; }
`;

/** One side of one fault, over its runs; null: did not happen, or cannot be seen. */
export interface FaultSide {
  side: SideName;
  runs: number;
  detection: Spread | null;
  election: Spread | null;
  client: Spread | null;
  rto: Spread | null;
  longestGap: Spread;
}

export interface ComparedFault {
  id: number;
  kind: string;
  sides: FaultSide[];
}

/** By number, of all faults that were injected in a run of either side; all in ms. */
export function comparedFaults(base: OverlayInput, candidate: OverlayInput): ComparedFault[] {
  const all = [...base.runs, ...candidate.runs].flatMap(({ summary }) => summary.faults.filter(({ injectedAtMs }) => injectedAtMs !== null));
  const kinds = new Map(all.map(({ id, kind }) => [id, kind]));
  return [...kinds]
    .sort(([a], [b]) => a - b)
    .map(([id, kind]) => ({ id, kind, sides: [faultSide('base', base, id), faultSide('candidate', candidate, id)] }));
}

function faultSide(side: SideName, { runs }: OverlayInput, id: number): FaultSide {
  const injected = runs.flatMap(({ summary }) => {
    const fault = summary.faults.find((one) => one.id === id && one.injectedAtMs !== null);
    return fault === undefined ? [] : [{ fault, summary }];
  });
  const over = (value: (fault: FaultSummary) => number | null): Spread | null => spreadOf(injected.map(({ fault }) => value(fault)));
  return {
    side,
    runs: injected.length,
    detection: over((fault) => between(fault.injectedAtMs, fault.detectedMs)),
    election: over((fault) => between(fault.detectedMs, fault.promotedMs)),
    client: over((fault) => between(fault.promotedMs, fault.clientRecoveredMs)),
    rto: over((fault) => fault.rtoMs),
    longestGap: spreadOf(injected.map(({ summary }) => longestGapMs(summary, id))) ?? { median: 0, min: 0, max: 0, count: 0 },
  };
}

function between(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : Math.max(0, toMs - fromMs);
}

function longestGapMs({ availability }: Summary, faultId: number): number {
  return Math.max(0, ...availability.gaps.filter((gap) => gap.shard === 'any' && gap.faultId === faultId).map(({ durationMs }) => durationMs));
}

const columns: Column[] = [
  { title: 'Side' },
  { title: 'Where the time went' },
  { title: 'Detection', numeric: true, hint: 'from the injection until the nodes agreed that the node is gone' },
  { title: 'Election', numeric: true, hint: 'from then to the promotion of a replica' },
  { title: 'Client', numeric: true, hint: 'from then until clients were answered again' },
  { title: 'Recovery (RTO)', numeric: true, hint: 'from the injection until clients were answered again' },
  { title: 'Longest gap', numeric: true, hint: 'in which some shard answered nothing' },
];

/** Nothing when no fault was injected. */
export function faultComparison(faults: readonly ComparedFault[], labels: Record<SideName, string>): Html | null {
  if (faults.length === 0) return null;
  const longestMs = Math.max(1, ...faults.flatMap(({ sides }) => sides.map(lengthMs)));
  const groups = faults.map(({ id, kind, sides }) => ({
    title: html`Fault ${id} <span class="sub">${kind}</span>`,
    rows: sides.map((side): HtmlValue[] => [
      html`${side.side} <span class="sub">${labels[side.side]}</span>`,
      side.runs === 0 ? html`<span class="sub">not injected</span>` : bar(side, longestMs),
      figure(side.detection),
      figure(side.election),
      figure(side.client),
      figure(side.rto),
      side.runs === 0 ? '–' : side.longestGap.max === 0 ? 'none' : figure(side.longestGap),
    ]),
  }));
  const key = (name: string, text: string): Html =>
    html`<span class="key"><svg viewBox="0 0 12 10" aria-hidden="true"><rect class="${name}" x="1" y="1" width="10" height="8"/></svg>${text}</span>`;
  return html`<section id="faults"><h2>Faults, side by side</h2>
<p class="note">Medians over the runs, with the least and the greatest; a dash did not happen or cannot be seen. All bars have one scale. ${key('detection', 'detection')}${key('election', 'election')}${key('client', 'client recovery')}${key('whole', 'recovery, parts not seen')}</p>
${groupedTable(columns, groups)}</section>`;
}

function lengthMs({ detection, election, client, rto }: FaultSide): number {
  const parts = [detection, election, client];
  return parts.includes(null) ? (rto?.median ?? 0) : parts.reduce((sum, part) => sum + (part?.median ?? 0), 0);
}

function bar(side: FaultSide, longestMs: number): Html {
  const { detection, election, client, rto } = side;
  if (detection === null || election === null || client === null) {
    if (rto === null) return html`<span class="sub">${side.longestGap.max === 0 ? 'nobody felt it' : 'no recovery seen'}</span>`;
    return svg(`recovery ${formatUs(rto.median * 1000)}`, [rect('whole', 1, Math.max(2, (rto.median / longestMs) * (BAR_WIDTH - 2)))]);
  }
  let x = 0;
  const rects = [['detection', detection] as const, ['election', election] as const, ['client', client] as const].map(([name, part]) => {
    const width = (part.median / longestMs) * BAR_WIDTH;
    x += width;
    return rect(name, x - width, Math.max(width, 1));
  });
  return svg(`detection ${ms(detection)}, election ${ms(election)}, client recovery ${ms(client)}`, rects);
}

function svg(label: string, rects: readonly Html[]): Html {
  return html`<svg class="parts" viewBox="0 0 ${BAR_WIDTH} ${BAR_HEIGHT}" role="img" aria-label="${label}">${rects}</svg>`;
}

function rect(name: string, x: number, width: number): Html {
  return html`<rect class="${name}" x="${x.toFixed(1)}" y="1" width="${width.toFixed(1)}" height="${BAR_HEIGHT - 2}"/>`;
}

function ms({ median }: Spread): string {
  return formatUs(median * 1000);
}

function figure(spread: Spread | null): HtmlValue {
  if (spread === null) return '–';
  const [low, middle, high] = [spread.min, spread.median, spread.max].map((value) => spaced(formatUs(value * 1000)));
  return low === high ? middle : html`<b>${middle}</b><br><span class="sub">(${low} to ${high})</span>`;
}
