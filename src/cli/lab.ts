/**
 * `kvbench lab up|status|down`: a lab that goes on running in the background, for trying things by hand. The lab is that of a profile's
 * `target`; its keeper (topology/labKeeper.ts) outlives this command.
 */
import Table from 'cli-table3';
import { ExitCode, KvbenchError } from '../base/errors.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import type { LabPlan } from '../plan/plan.js';
import { targetText } from '../plan/timeline.js';
import { loadProfile } from '../profile/loadProfile.js';
import { type AttachedLab, attachLab, bringUpKeptLab } from '../topology/keptLab.js';
import { isAlive, labNames, readLabState, removeLabState } from '../topology/labState.js';
import type { NodeView } from '../topology/target.js';
import { watchInterrupts } from './interrupt.js';
import type { LabArguments } from './main.js';
import type { Terminal } from './terminal.js';

/** @throws KvbenchError of the step that failed */
export async function lab(args: LabArguments, terminal: Terminal): Promise<ExitCode> {
  switch (args.action) {
    case 'up':
      return up(args, terminal);
    case 'down':
      return down(args, terminal);
    default:
      return status(args, terminal);
  }
}

async function up(args: LabArguments, terminal: Terminal): Promise<ExitCode> {
  if (args.what === undefined) throw new KvbenchError('INVALID_ARGUMENT', 'no profile was named', 'For example: kvbench lab up sentinel-failover.');
  const { name, plan } = labOf(args.what, args);
  const runtime = runtimeFolder();
  const interrupt = watchInterrupts((signal) => terminal.alert(`${signal}: the lab is taken down again`));
  try {
    terminal.talk(`lab ${name}: ${targetText(plan)}`);
    await bringUpKeptLab({ name, runtime, plan }, (text) => terminal.talk(text), interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) return ExitCode.interrupted;
    throw error;
  } finally {
    interrupt.dispose();
  }
  await show(name, terminal);
  terminal.data(`\nIt runs until: kvbench lab down ${name}\n`);
  return ExitCode.passed;
}

function labOf(profile: string, args: LabArguments): { name: string; plan: LabPlan } {
  const sets = [...args.set, ...(args.server === undefined ? [] : [`target.server=${JSON.stringify(args.server)}`])];
  const { name, target } = makePlan(loadProfile(profile, { faults: faultRegistry, sets, env: process.env }));
  if (target.kind === 'lab') return { name: args.name ?? name, plan: target };
  throw new KvbenchError('INVALID_ARGUMENT', `the target of ${profile} is not a lab: it already runs at ${target.url}`, 'Name a profile with a lab.');
}

async function status({ what, name }: LabArguments, terminal: Terminal): Promise<ExitCode> {
  const runtime = runtimeFolder();
  const wanted = what ?? name;
  const names = wanted === undefined ? labNames(runtime) : [wanted];
  if (names.length === 0) terminal.data('No lab runs. Start one: kvbench lab up PROFILE\n');
  for (const each of names) {
    const state = readLabState(runtime, each);
    if (wanted === undefined && state && !isAlive(state)) {
      removeLabState(runtime, each);
      terminal.data(`lab ${each}: its keeper (process ${state.keeper.pid}) has gone, and the servers with it; what was left of it is removed\n`);
    } else await show(each, terminal);
  }
  return ExitCode.passed;
}

async function down({ what, name }: LabArguments, terminal: Terminal): Promise<ExitCode> {
  const runtime = runtimeFolder();
  const wanted = what ?? name;
  const names = labNames(runtime);
  const chosen = wanted ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined) {
    if (names.length === 0) throw new KvbenchError('LAB_FAILED', 'no lab runs', 'Start one: kvbench lab up PROFILE.');
    throw new KvbenchError('INVALID_ARGUMENT', `${names.length} labs run: ${names.join(', ')}`, `Name one: kvbench lab down ${names[0]}.`);
  }
  const state = readLabState(runtime, chosen);
  if (state && !isAlive(state)) {
    removeLabState(runtime, chosen);
    terminal.data(`lab ${chosen}: its keeper had gone already; what was left of it is removed\n`);
    return ExitCode.passed;
  }
  const attached = await attachLab(runtime, chosen);
  await attached.takeDown();
  terminal.data(`lab ${chosen} is down: its servers and its folder are gone\n`);
  return ExitCode.passed;
}

async function show(name: string, terminal: Terminal): Promise<void> {
  const attached = await attachLab(runtimeFolder(), name);
  try {
    const { server, version } = attached.describe();
    terminal.data(`lab ${name}: ${targetText(attached.plan)}; ${server} ${version}\n${await nodesTable(attached)}\n`);
  } finally {
    await attached.close();
  }
}

async function nodesTable(lab: AttachedLab): Promise<string> {
  const { nodes } = await lab.currentView();
  const table = new Table({ head: ['node', 'address', 'role', 'slots', 'in sync', 'state', 'pid'], style: { head: [], border: [] } });
  for (const node of nodes) {
    const pid = lab.processes.pidOf(node.id);
    table.push([
      node.id,
      node.address,
      roleText(node),
      slotsText(node, lab),
      node.role === 'replica' ? (node.inSync ? 'yes' : 'no') : '',
      stateText(node, pid),
      pid ?? '',
    ]);
  }
  return table.toString();
}

function roleText({ role, masterId }: NodeView): string {
  return role === 'replica' && masterId !== null ? `replica of ${masterId}` : role;
}

/** Only a cluster divides them. */
function slotsText({ slots }: NodeView, { mode }: AttachedLab): string {
  if (mode !== 'cluster') return '';
  return slots.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(', ');
}

function stateText({ reachable }: NodeView, pid: number | null): string {
  if (pid === null) return 'down';
  return reachable ? 'up' : 'does not answer';
}
