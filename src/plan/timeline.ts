/** The plan as a table for `--dry-run`: phases and faults in the order of time, and what the run will cost. Pure text, no colours. */
import Table from 'cli-table3';
import { unreachable } from '../base/assert.js';
import { normalCdf } from '../base/normal.js';
import { formatBytes, formatCount } from '../base/units.js';
import { durationText } from '../profile/durationText.js';
import { hasValue, operationNamesOf, weightsOf } from './operations.js';
import { type FaultPlan, loadEndUs, type PhasePlan, type Plan, type TargetPlan, type ValueSizes } from './plan.js';

interface Row {
  sortUs: number;
  /** Among rows of the same time: phases, then faults by number. */
  rank: number;
  cells: [time: string, what: string, detail: string, until: string];
}

/** The table stays readable on a common terminal. */
const DETAIL_COLUMNS = 50;

/** Ends with a line break. */
export function renderTimeline(plan: Plan): string {
  const table = new Table({
    head: ['time', 'what', 'detail', 'until'],
    colWidths: [null, null, DETAIL_COLUMNS, null],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  const rows = [...plan.load.phases.map(phaseRow), ...plan.chaos.map((fault) => faultRow(plan, fault))];
  rows.sort((a, b) => a.sortUs - b.sortUs || a.rank - b.rank);
  for (const row of rows) table.push(row.cells);
  table.push([
    durationText(loadEndUs(plan)),
    'end of load',
    'all faults are healed, answers under way are awaited',
    `≤ ${durationText(loadEndUs(plan) + plan.load.timeoutUs)}`,
  ]);
  const head = `${plan.name}: ${targetText(plan.target)}, seed ${plan.seed}${plan.description ? `\n${plan.description}` : ''}`;
  return `${head}\n${table.toString()}\n${costLines(plan).join('\n')}\n`;
}

function phaseRow(phase: PhasePlan): Row {
  const load =
    phase.kind === 'closed'
      ? `${formatCount(phase.clients)} clients × ${phase.pipeline} in flight (closed loop)${phase.operationLimit === null ? '' : `, at most ${formatCount(phase.operationLimit)} operations`}`
      : `${rateText(phase.rateStartPerSec, phase.rateEndPerSec)}${phase.arrivals === 'poisson' ? ' (Poisson)' : ''}, ${formatCount(phase.operationCount)} operations`;
  const cells: Row['cells'] = [
    durationText(phase.startUs),
    `phase ${phase.name}${phase.record ? '' : ' (not recorded)'}`,
    load,
    durationText(phase.startUs + phase.durationUs),
  ];
  return { sortUs: phase.startUs, rank: phase.index, cells };
}

function rateText(startPerSec: number, endPerSec: number): string {
  const show = (perSec: number): string => `${Number(perSec.toFixed(2)).toLocaleString('en-US')}/s`;
  return startPerSec === endPerSec ? show(startPerSec) : `${show(startPerSec)} to ${show(endPerSec)}`;
}

function faultRow(plan: Plan, fault: FaultPlan): Row {
  const { trigger, forUs } = fault;
  const earliest = earliestUs(plan, fault);
  const time = trigger.kind === 'at' ? durationText(trigger.atUs) : `≥ ${durationText(earliest)}`;
  const waits =
    trigger.kind === 'after'
      ? `, after fault ${trigger.faultId} is ${trigger.state}${trigger.delayUs > 0 ? ` + ${durationText(trigger.delayUs)}` : ''}`
      : '';
  const target = fault.selector ? ` on ${fault.selector.text}` : '';
  const until =
    forUs === null
      ? 'end of load'
      : trigger.kind === 'at'
        ? `healed at ${durationText(trigger.atUs + forUs)}`
        : `healed after ${durationText(forUs)}`;
  const detail = `${paramsText(fault.params)}${waits}`.replace(/^, /, '');
  return { sortUs: earliest, rank: plan.load.phases.length + fault.id, cells: [time, `fault ${fault.id}: ${fault.kind}${target}`, detail, until] };
}

/** The earliest moment a fault can come: what it waits for cannot be reached before the other fault is injected, or healed. */
export function earliestUs(plan: Plan, fault: FaultPlan): number {
  const { trigger } = fault;
  if (trigger.kind === 'at') return trigger.atUs;
  const other = plan.chaos.find((candidate) => candidate.id === trigger.faultId && candidate.id < fault.id);
  if (!other) return trigger.delayUs;
  const healed = trigger.state === 'healed' ? (other.forUs ?? 0) : 0;
  return earliestUs(plan, other) + healed + trigger.delayUs;
}

/** A toxic's name says it best; else the parameters that differ from nothing. */
function paramsText(params: unknown): string {
  if (params === null || typeof params !== 'object') return '';
  const { name, description: _description, toxics, ...rest } = params as Record<string, unknown>;
  const parts = typeof name === 'string' ? [name] : [];
  if (Array.isArray(toxics) && toxics.length > 0) parts.push(toxics.map(toxicText).join(' + '));
  for (const [key, value] of Object.entries(rest)) {
    if (Array.isArray(value)) {
      if (key === 'groups') parts.push(value.map((members) => (members as string[]).join(', ')).join(' | '));
      else if (value.length > 0 && value.every((item) => typeof item === 'string')) parts.push(`${key} ${value.join(', ')}`);
      else if (value.length > 0) parts.push(`${value.length} ${key}`);
    } else if (value === true) parts.push(key);
    else if (value !== false && value !== undefined && value !== null)
      parts.push(`${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  }
  return parts.join(', ');
}

function toxicText(toxic: unknown): string {
  const { type, stream, attributes } = toxic as { type?: string; stream?: string; attributes?: Record<string, unknown> };
  const values = Object.entries(attributes ?? {}).map(([key, value]) => `${key} ${String(value)}`);
  return [type, stream, ...values].filter(Boolean).join(' ');
}

/** The target in words, as plans show it. */
export function targetText(target: TargetPlan): string {
  if (target.kind === 'external') return `external target ${target.url} (${target.mode})`;
  const { topology, masters, replicasPerMaster, sentinel, server } = target;
  const replicas = `${replicasPerMaster} ${replicasPerMaster === 1 ? 'replica' : 'replicas'}`;
  const watched = sentinel ? `, watched by ${sentinel.count} ${sentinel.count === 1 ? 'sentinel' : 'sentinels'} (quorum ${sentinel.quorum})` : '';
  switch (topology) {
    case 'standalone':
      return `lab, one ${server}`;
    case 'replicated':
    case 'sentinel':
      return `lab, a master with ${replicas}${watched} (${server})`;
    case 'cluster':
      return `lab, cluster of ${masters} masters with ${replicas} each (${server})`;
    default:
      return unreachable(topology);
  }
}

function costLines(plan: Plan): string[] {
  const { workload, phases } = plan.load;
  const planned = phases.reduce((sum, phase) => sum + (phase.kind === 'open' ? phase.operationCount : 0), 0);
  const closed = phases.filter((phase) => phase.kind === 'closed').length;
  const weights = weightsOf(workload);
  const names = operationNamesOf(workload);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const meanBytes = expectedValueBytes(workload.values);
  // A pair of get and set is planned as one.
  const bytesOf = (weight: number): number => (planned * weight * meanBytes) / (total - workload.readModifyWrite);
  const commands = workload.commands ?? [];
  const carrying = commands.reduce((sum, command) => sum + (hasValue(command) ? command.weight : 0), 0);
  const openEnded =
    closed > 0
      ? `, and as many as ${closed === phases.length ? 'the target answers' : `the target answers in ${closed} closed-loop ${closed === 1 ? 'phase' : 'phases'}`}`
      : '';
  const data = workload.preload
    ? `${formatCount(workload.keys.count)} keys, about ${formatBytes(workload.keys.count * meanBytes)} of values, written before t0`
    : 'none';
  const lastFor = durationText(loadEndUs(plan) + plan.load.timeoutUs);
  return [
    `operations  ${formatCount(planned)} planned${openEnded} (${workload.name}: ${names
      .map((name, op) => `${name} ${weights[op]}`)
      .filter((_, op) => (weights[op] ?? 0) > 0)
      .join(', ')}${workload.readModifyWrite > 0 ? `; ${workload.readModifyWrite} of each as pairs, whose second halves come on top` : ''})`,
    ...commands.map(({ name, kind, text }) => `command     ${name} (${kind}): ${text}`),
    `values      about ${formatBytes(bytesOf(workload.operations.set + carrying))} written and up to ${formatBytes(bytesOf(workload.operations.get))} read${closed > 0 ? ', without the closed loop' : ''} (${formatBytes(meanBytes)} each on average)`,
    `preload     ${data}`,
    `faults      ${plan.chaos.length === 0 ? 'none' : `${plan.chaos.length}, network by ${plan.toxiproxy.kind === 'none' ? 'direct links' : plan.toxiproxy.kind === 'url' ? plan.toxiproxy.url : 'the embedded proxy'}`}`,
    `duration    ${durationText(loadEndUs(plan))} of load; at most ${lastFor} with the last answers (timeout ${durationText(plan.load.timeoutUs)}); set-up, preload and clean-up come on top`,
  ];
}

/** Mean size of a value in bytes; of a log-normal one cut at its maximum, by the formula for a censored log-normal mean. */
export function expectedValueBytes(values: ValueSizes): number {
  switch (values.kind) {
    case 'fixed':
      return values.bytes;
    case 'uniform':
      return (values.minBytes + values.maxBytes) / 2;
    case 'lognormal': {
      const { medianBytes, sigma, maxBytes } = values;
      const cut = Math.log(maxBytes / medianBytes) / sigma;
      return medianBytes * Math.exp(sigma ** 2 / 2) * normalCdf(cut - sigma) + maxBytes * (1 - normalCdf(cut));
    }
  }
}
