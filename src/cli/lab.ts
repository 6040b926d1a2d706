/**
 * `kvbench lab up|status|down`: a lab that goes on running in the background, for trying things by hand. The lab is that of a profile's
 * `target`; its keeper (topology/labKeeper.ts) outlives this command.
 */
import { ExitCode, KvbenchError } from '../base/errors.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { keptNetworkPlan, labKeeperProgram } from '../chaos/mesh/keptNetwork.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import type { LabPlan } from '../plan/plan.js';
import { targetText } from '../plan/timeline.js';
import { loadProfile } from '../profile/loadProfile.js';
import { attachLab, bringUpKeptLab } from '../topology/keptLab.js';
import type { KeptNetworkPlan } from '../topology/labKeeperProtocol.js';
import { isAlive, labNames, readLabState, removeLabState } from '../topology/labState.js';
import { watchInterrupts } from './interrupt.js';
import { settleJournalsOf } from './labJournals.js';
import { showLab } from './labStatus.js';
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
  const { name, plan, network } = labOf(args.what, args);
  const runtime = runtimeFolder();
  const earlier = readLabState(runtime, name);
  if (earlier === null || !isAlive(earlier)) await settleJournals(runtime, name, terminal);
  const interrupt = watchInterrupts((signal) => terminal.alert(`${signal}: the lab is taken down again`));
  try {
    terminal.talk(`lab ${name}: ${targetText(plan)}${network ? ', with proxies in all its links' : ''}`);
    const start = { name, runtime, plan, ...(network ? { network } : {}) };
    await bringUpKeptLab(labKeeperProgram, start, (text) => terminal.talk(text), interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) return ExitCode.interrupted;
    throw error;
  } finally {
    interrupt.dispose();
  }
  await showLab(name, terminal);
  terminal.data(`\nIt runs until: kvbench lab down ${name}\n`);
  return ExitCode.passed;
}

function labOf(profile: string, args: LabArguments): { name: string; plan: LabPlan; network: KeptNetworkPlan | null } {
  const sets = [...args.set, ...(args.server === undefined ? [] : [`target.server=${JSON.stringify(args.server)}`])];
  const plan = makePlan(loadProfile(profile, { faults: faultRegistry, sets, env: process.env }));
  const { name, target } = plan;
  if (target.kind === 'lab') return { name: args.name ?? name, plan: target, network: keptNetworkPlan(plan, args.network) };
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
      await settleJournals(runtime, each, terminal);
      terminal.data(`lab ${each}: its keeper (process ${state.keeper.pid}) has gone, and the servers with it; what was left of it is removed\n`);
    } else await showLab(each, terminal);
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
    await settleJournals(runtime, chosen, terminal);
    terminal.data(`lab ${chosen}: its keeper had gone already; what was left of it is removed\n`);
    return ExitCode.passed;
  }
  const attached = await attachLab(runtime, chosen);
  await attached.takeDown();
  await settleJournals(runtime, chosen, terminal);
  terminal.data(`lab ${chosen} is down: its servers and its folder are gone\n`);
  return ExitCode.passed;
}

/** What was in force in a lab has gone with it; what lies outside of it is undone. */
async function settleJournals(runtime: string, name: string, terminal: Terminal): Promise<void> {
  for (const what of await settleJournalsOf(runtime, name)) terminal.alert(`lab ${name}: NOT undone: ${what}`);
}
