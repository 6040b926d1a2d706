/**
 * One line for a person per event of a run, as it happens. Called by the terminal's progress; pure, without colour, and it never
 * repeats what the status line or another event says.
 */
import { unreachable } from '../base/assert.js';
import { formatUs } from '../base/units.js';
import { accessOf, operationNamesOf, weightsOf } from '../plan/operations.js';
import type { FaultState, Plan } from '../plan/plan.js';
import type { EventOf, EventRecord, NodeRef } from '../result/records.js';
import { sidesText } from './groupSeries.js';
import { timeText, wrapWords } from './textLayout.js';

/** Lines stay within this; what is longer goes on in the next line, below its own beginning. */
const LINE_COLUMNS = 100;
/** Room for `9999.999s`, more than two and a half hours. */
const TIME_COLUMNS = 10;
/** More nodes than this are counted, not all listed. */
const NODES_LISTED = 3;

/** What a fault of a kind has done to its nodes, once it is confirmed. */
const injectedWords: Readonly<Record<string, string>> = {
  kill: 'killed',
  pause: 'paused',
  restart: 'taken down to restart',
  toxic: 'behind toxics',
  partition: 'cut apart',
  bridge: 'cut apart',
  isolate: 'cut apart',
  'one-way': 'cut one way',
};

/** Null: no news for a person. Without a line break at its end; a long text has breaks inside. */
export function eventLine(event: EventRecord): string | null {
  switch (event.type) {
    case 'fault':
      return faultLine(event);
    case 'phase':
      return event.state === 'start' ? line(event.tUs, '▸', `phase ${event.name}`) : null;
    case 'process':
      return processLine(event);
    case 'message':
      return messageLine(event);
    case 'run':
      return runLine(event);
    case 'proof':
      return event.missing.length === 0 ? null : line(event.tUs, '✗', `not whole after healing: ${event.missing.join('; ')}`);
    case 'connection':
    case 'log':
    case 'role':
    case 'flag':
    case 'clusterState':
    case 'reachable':
    case 'replicas':
    case 'server':
    case 'lag':
    case 'keys':
    case 'placement':
    case 'clock':
    case 'consistency':
    case 'span':
    case 'client':
    case 'thread':
    case 'target':
      return null;
    default:
      return unreachable(event);
  }
}

/**
 * A milestone that a fault has reached at `atUs` (since t0). Null for `injected` and `healed`, which are events with a line of their own.
 * @param injectedAtUs since t0; with it the line says how long the milestone took
 */
export function stateLine(plan: Plan, faultId: number, state: FaultState, atUs: number, injectedAtUs?: number): string | null {
  const words = stateWords(plan, state);
  if (words === null) return null;
  const kind = plan.chaos.find((fault) => fault.id === faultId)?.kind ?? 'fault';
  const after = injectedAtUs === undefined ? '' : `, ${formatUs(atUs - injectedAtUs)} after injection`;
  return line(atUs, words.mark, `${kind} ${faultId}: ${words.text}${after}`);
}

/** `n1 (master of shard 0), n4 (replica of shard 0)`; of many nodes the number and the first ones. */
export function targetsText(targets: readonly NodeRef[]): string {
  if (targets.length > NODES_LISTED) {
    const first = targets.slice(0, NODES_LISTED).map(({ node }) => node);
    return `${targets.length} nodes (${first.join(', ')}, …)`;
  }
  return targets.map(({ node, shard, role }) => `${node}${place(shard, role)}`).join(', ');
}

function place(shard: number | null, role: NodeRef['role']): string {
  if (role === 'unknown') return shard === null ? '' : ` (shard ${shard})`;
  return shard === null ? ` (${role})` : ` (${role} of shard ${shard})`;
}

function faultLine(event: EventOf<'fault'>): string | null {
  const { tUs, faultId, kind, state, targets, plannedAtUs, message } = event;
  const name = `${kind} ${faultId}`;
  const why = message === undefined ? '' : `: ${message}`;
  switch (state) {
    case 'injecting':
    case 'healing':
      return null;
    case 'injected': {
      const late = plannedAtUs === null ? '' : `, ${planDistance(tUs - plannedAtUs)}`;
      const whom = event.sides ? sidesText(kind, event.sides) : targetsText(targets);
      return line(tUs, '✗', `${name}: ${whom} ${injectedWords[kind] ?? 'hit'}${late}${why}`);
    }
    case 'healed':
      return line(
        tUs,
        '✓',
        `${name} healed${targets.length === 0 || event.sides ? '' : `: ${nodeNames(targets)}`}${message === undefined ? '' : ` (${message})`}`,
      );
    case 'failed':
      return line(tUs, '✗', `${name} failed${why}`);
    case 'skipped':
      return line(tUs, '–', `${name} skipped${why}`);
    default:
      return unreachable(state);
  }
}

/** Early and late are told apart. */
export function planDistance(lateUs: number): string {
  return lateUs < 0 ? `${formatUs(-lateUs)} before plan` : `${formatUs(lateUs)} after plan`;
}

function nodeNames(targets: readonly NodeRef[]): string {
  return targets.length > NODES_LISTED ? targetsText(targets) : targets.map(({ node }) => node).join(', ');
}

/** Starts, and exits that a fault meant, belong to the lab and to the fault's own lines. */
function processLine({ tUs, node, pid, state, exitCode, signal, byFault }: EventOf<'process'>): string | null {
  if (state === 'started' || byFault !== null) return null;
  const how = signal !== null ? `by ${signal}` : exitCode !== null ? `with code ${exitCode}` : 'for an unknown reason';
  return line(tUs, '✗', `${node} (pid ${pid}) exited ${how}, which no fault asked for`);
}

function messageLine({ tUs, level, text }: EventOf<'message'>): string {
  switch (level) {
    case 'info':
      return line(tUs, '·', text);
    case 'warning':
      return line(tUs, '!', `warning: ${text}`);
    case 'error':
      return line(tUs, '✗', `error: ${text}`);
    default:
      return unreachable(level);
  }
}

function runLine({ tUs, state, detail }: EventOf<'run'>): string | null {
  if (state === 'interrupted') return line(tUs, '!', `interrupted${detail === undefined ? '' : ` by ${detail}`}: healing and writing the results`);
  if (state === 'aborted') return line(tUs, '✗', `aborted${detail === undefined ? '' : ` by ${detail}`}`);
  if (state === 'stopped') return line(tUs, '✗', `stopped${detail === undefined ? '' : ` by ${detail}`}: healing and writing the results`);
  return null;
}

function stateWords(plan: Plan, state: FaultState): { mark: string; text: string } | null {
  switch (state) {
    case 'injected':
    case 'healed':
      return null;
    case 'firstError':
      return { mark: '•', text: 'first error of a client' };
    case 'detected':
      return {
        mark: '•',
        text: isCluster(plan) ? 'FAIL agreed by the nodes' : isWatched(plan) ? 'the sentinels agree that it is down (+odown)' : 'failure detected',
      };
    case 'promoted':
      return { mark: '•', text: 'replica promoted' };
    case 'clientRecovered':
      return { mark: '✓', text: `${accessText(plan)} again` };
    case 'p99Recovered':
      return { mark: '✓', text: 'p99 is back to what it was' };
    case 'redundancyRestored':
      return { mark: '✓', text: 'redundancy restored, replicas in sync' };
    default:
      return unreachable(state);
  }
}

function isCluster({ target }: Plan): boolean {
  return target.kind === 'lab' ? target.topology === 'cluster' : target.mode === 'cluster';
}

function isWatched({ target }: Plan): boolean {
  return target.kind === 'lab' && target.topology === 'sentinel';
}

/** What the load does at all. */
function accessText({ load }: Plan): string {
  const { workload } = load;
  const weights = weightsOf(workload);
  const asked = operationNamesOf(workload).filter((_, op) => (weights[op] ?? 0) > 0);
  const kinds = new Set(asked.map((op) => accessOf(workload, op)));
  if (!kinds.has('write')) return 'reads';
  return kinds.has('read') ? 'writes and reads' : 'writes';
}

function line(tUs: number, mark: string, text: string): string {
  const lead = `${timeText(tUs).padStart(TIME_COLUMNS)}  ${mark} `;
  return wrapWords(text, LINE_COLUMNS - lead.length)
    .map((part, i) => (i === 0 ? lead : ' '.repeat(lead.length)) + part)
    .join('\n');
}
