/**
 * `kvbench inject`: one fault by hand, on a lab that runs in the background, while anything runs against it. With `--for` it is healed by
 * this command; a killed, paused or reconfigured node and a broken network stay so until `kvbench heal --lab NAME`; any other fault lasts
 * as long as this command. What it would leave behind stands in the undo journal.
 */
import { parse as parseYaml } from 'yaml';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { ExitCode, KvbenchError } from '../base/errors.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { Claims } from '../chaos/claims.js';
import { FaultRun } from '../chaos/faultRun.js';
import { attachProxies } from '../chaos/keptProxies.js';
import { journalFolderOf } from '../chaos/mesh/keptNetwork.js';
import { NodeHolds } from '../chaos/nodeHolds.js';
import { faultRegistry } from '../chaos/registry.js';
import type { ToxicParams } from '../chaos/toxicParams.js';
import { UndoJournal } from '../chaos/undoJournal.js';
import { waitUntilUs } from '../chaos/waitUntil.js';
import { makePlan } from '../plan/makePlan.js';
import { ALL_CLIENTS, type FaultPlan, type LabPlan } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { eventLine } from '../report/eventLine.js';
import type { EventOf } from '../result/records.js';
import { type AttachedLab, attachLab } from '../topology/keptLab.js';
import { watchInterrupts } from './interrupt.js';
import type { InjectArguments } from './main.js';
import type { Terminal } from './terminal.js';

/** What they do stays done without anybody's help, and `kvbench heal --lab` knows how to undo it. */
const lasting: readonly string[] = ['kill', 'pause', 'config', 'toxic', 'partition', 'isolate', 'one-way', 'bridge'];
/** The longest for a fault that ends by itself. */
const END_LIMIT_US = 60_000_000;
const END_POLL_US = 20_000;

/** 0: injected (and healed, where it was to be); throws FAULT_FAILED otherwise. */
export async function inject(args: InjectArguments, terminal: Terminal): Promise<ExitCode> {
  const lab = await attachLab(runtimeFolder(), args.lab);
  const interrupt = watchInterrupts((signal) => terminal.alert(`${signal}: healing`));
  const journal = new UndoJournal(runtimeFolder(), {
    run: `inject-${args.lab}`,
    folder: journalFolderOf(args.lab),
    access: null,
    lab: args.lab,
    what: asTyped(args),
  });
  try {
    const fault = faultOf(args, lab);
    const events: EventOf<'fault'>[] = [];
    const run = await faultRun(fault, lab, journal, terminal, events);
    const kind = faultRegistry.find((candidate) => candidate.kind === fault.kind);
    if (kind) await run.inject(kind, null, () => null);
    const refused = events.find(({ state }) => state === 'failed' || state === 'skipped');
    if (refused) throw new KvbenchError('FAULT_FAILED', `${fault.kind} was not injected: ${refused.message ?? 'no reason given'}`);
    if (run.endsByItself) return await ended(run);
    if (fault.forUs === null && staysAlone(fault)) {
      terminal.data(`It stays so until: kvbench heal --lab ${args.lab}\n`);
      return ExitCode.passed;
    }
    if (fault.forUs === null) terminal.talk('It lasts until Ctrl-C (or give it --for 10s).');
    await waitUntilUs(fault.forUs === null ? Number.POSITIVE_INFINITY : monotonicUs() + fault.forUs, interrupt.signal);
    await run.heal(null);
    return await ended(run);
  } finally {
    await journal.close();
    await lab.close();
    interrupt.dispose();
  }
}

/** A link that goes up and down needs somebody who moves it. */
function staysAlone({ kind, params }: FaultPlan): boolean {
  return lasting.includes(kind) && !(kind === 'toxic' && (params as ToxicParams).steps.length > 0);
}

/** Without `--for`, in words for `kvbench lab status`. */
function asTyped({ fault, node, '--': params = [] }: InjectArguments): string {
  return [fault, ...(node === undefined ? [] : [`of ${node}`]), ...params.map(String)].join(' ');
}

/** Through the checks of a profile, so that what is wrong is said as there. */
function faultOf(args: InjectArguments, { plan: target, network }: AttachedLab): FaultPlan {
  const params = Object.fromEntries((args['--'] ?? []).map(String).map(parameter));
  const chaos = {
    at: '0s',
    fault: args.fault,
    ...(args.node === undefined ? {} : { node: args.node }),
    ...(args.for === undefined ? {} : { for: args.for }),
    ...params,
  };
  const groups = network?.clientGroups.filter((name) => name !== ALL_CLIENTS) ?? [];
  const object = {
    name: 'inject',
    target: targetObject(target),
    load: {
      ...(groups.length === 0 ? {} : { clientGroups: Object.fromEntries(groups.map((name) => [name, 1])) }),
      workload: { operations: { get: 1 } },
      phases: [{ duration: '24h', clients: 1 }],
    },
    chaos: [chaos],
  };
  const plan = makePlan({
    ...profileFromObject(object, 'command line', process.cwd(), { faults: faultRegistry, sets: [], env: {} }),
    seed: monotonicUs() % 2 ** 31,
  });
  const [fault] = plan.chaos;
  if (!fault) throw new Error('bug in kvbench: a fault that was checked is not there');
  if (network !== null || (!fault.needsProxy && fault.needsMesh !== true)) return fault;
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `${args.fault} acts on the network, and the lab ${args.lab} has no proxies in its links`,
    'Start it with them: kvbench lab up PROFILE --network.',
  );
}

/** `signal=TERM`: the value as YAML. */
function parameter(text: string): [string, unknown] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), parseYaml(text.slice(equals + 1))];
  throw new KvbenchError('INVALID_ARGUMENT', `${JSON.stringify(text)} is no parameter`, 'Write key=value after --, e.g. -- signal=TERM.');
}

/** As a profile has it: node selectors are checked against its shape. */
function targetObject({ topology, masters, replicasPerMaster, sentinel }: LabPlan): object {
  switch (topology) {
    case 'standalone':
      return { topology };
    case 'cluster':
      return { topology, masters, replicasPerMaster };
    case 'replicated':
      return { topology, replicas: replicasPerMaster };
    case 'sentinel':
      return { topology, replicas: replicasPerMaster, sentinels: sentinel?.count ?? 3 };
  }
}

async function faultRun(fault: FaultPlan, lab: AttachedLab, journal: UndoJournal, terminal: Terminal, events: EventOf<'fault'>[]): Promise<FaultRun> {
  const note = (text: string): void => terminal.talk(text);
  const t0Us = monotonicUs();
  const proxies = lab.network ? await attachProxies(lab.network, lab.nodes, journal) : null;
  // Two looks: the first one knows of no replica in sync.
  let view = await lab.currentView();
  view = await lab.currentView();
  const refresh = setInterval(() => {
    lab.currentView().then(
      (next) => {
        view = next;
      },
      () => undefined,
    );
  }, 200);
  refresh.unref();
  const context = {
    processes: lab.processes,
    proxies,
    journal,
    clientGroups: lab.network?.clientGroups ?? [],
    view: () => view,
    control: (nodeId: string) => lab.control(nodeId),
    note,
    signal: new AbortController().signal,
    faultId: fault.id,
    holds: new NodeHolds(lab.processes, proxies, note),
    claims: new Claims(),
    aim: { targets: [], sides: [] },
  };
  return new FaultRun(fault, context, t0Us, (event) => {
    events.push(event);
    const line = eventLine(event);
    if (line !== null) terminal.data(`${line}\n`);
  });
}

/** Until nothing of it is left, or precisely what is. */
async function ended(run: FaultRun): Promise<ExitCode> {
  const untilUs = monotonicUs() + END_LIMIT_US;
  while (run.inForce && monotonicUs() < untilUs) await sleepUs(END_POLL_US);
  const left = await run.unhealed();
  if (left !== null) throw new KvbenchError('FAULT_FAILED', `not healed: ${left}`, 'Try kvbench heal --lab and the name of the lab.');
  return ExitCode.passed;
}
