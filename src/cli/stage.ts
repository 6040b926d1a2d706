/** Everything that must stand before t0: the target, the proxies in front of it, connected load workers and a filled key space. */
import { resolve } from 'node:path';
import { KvbenchError } from '../base/errors.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { formatCount } from '../base/units.js';
import { attachProxies } from '../chaos/keptProxies.js';
import { type LinkMesh, openMesh } from '../chaos/mesh/mesh.js';
import { createProxies } from '../chaos/proxies.js';
import type { ProxyControl } from '../chaos/proxyControl.js';
import { type JournalAccess, noJournal, UndoJournal, type UndoLog } from '../chaos/undoJournal.js';
import { LoadRunner } from '../load/loadRunner.js';
import { clientGroupOf, clientGroupsOf, type ExternalPlan, type Plan } from '../plan/plan.js';
import type { RunSink } from '../result/records.js';
import { connectExternal } from '../topology/external.js';
import { attachLab, requireLab } from '../topology/keptLab.js';
import { startLab } from '../topology/lab.js';
import type { LabNetwork, Target } from '../topology/target.js';
import type { Teardown } from './teardown.js';
import type { Terminal } from './terminal.js';

export interface Stage {
  target: Target;
  proxies: ProxyControl | null;
  journal: UndoLog;
  load: LoadRunner;
}

export interface StageOptions {
  stream: RunSink;
  teardown: Teardown;
  terminal: Terminal;
  signal: AbortSignal;
  /** The run's result folder, by which `kvbench heal` finds what it left. */
  folder: string;
}

/** Sets the stage. What was opened is in `teardown`, also when this throws; an aborted signal makes it throw soon. */
export async function setStage(plan: Plan, { stream, teardown, terminal, signal, folder }: StageOptions): Promise<Stage> {
  const journal = openJournal(plan, folder, teardown, terminal);
  // The mesh is there before the servers, which call each other through it, and goes after them.
  const mesh = plan.mesh === true && keptLabOf(plan) === undefined ? await openMesh(plan.toxiproxy, journal) : null;
  if (mesh) teardown.add('remove the link mesh', () => mesh.close());
  const target = await bringUpTarget(plan, teardown, terminal, signal, mesh);
  const proxies = await makeProxies(plan, target, mesh, { journal, teardown });
  if (proxies) terminal.talk(proxiesText(proxies));
  signal.throwIfAborted();
  const load = await connectLoad(plan, { target, proxies, stream, teardown, signal, folder });
  await preload(plan, load, terminal, signal);
  return { target, proxies, journal, load };
}

/** A lab and an embedded proxy end with this process, whatever ends it; what is not ours has to be put right by somebody else then. */
function openJournal(plan: Plan, folder: string, teardown: Teardown, terminal: Terminal): UndoLog {
  const lab = keptLabOf(plan);
  if (plan.target.kind === 'lab' && lab === undefined && plan.toxiproxy.kind !== 'url') return noJournal;
  const access = plan.target.kind === 'external' ? accessNames(plan.target) : null;
  const journal = new UndoJournal(runtimeFolder(), {
    run: plan.name,
    folder: resolve(folder),
    access,
    ...(lab === undefined ? {} : { lab, what: `the run ${plan.name}` }),
  });
  teardown.add('close the undo journal', async () => {
    if (journal.openSteps > 0) terminal.alert(`kvbench: ${journal.openSteps} steps are not undone; try: kvbench heal ${folder}`);
    await journal.close();
  });
  return journal;
}

/** The lab in the background that it is to run on. */
function keptLabOf({ target }: Plan): string | undefined {
  return target.kind === 'lab' ? target.kept : undefined;
}

function accessNames({ url, username, password, tls }: ExternalPlan): JournalAccess {
  return { url, username, password, tls };
}

async function makeProxies(
  plan: Plan,
  target: Target,
  mesh: LinkMesh | null,
  { journal, teardown }: { journal: UndoLog; teardown: Teardown },
): Promise<ProxyControl | null> {
  const groups = clientGroupsOf(plan).map(({ name }) => name);
  const lab = keptLabOf(plan);
  const network = lab === undefined ? undefined : requireLab(runtimeFolder(), lab).network;
  if (network) return attachProxies(network, target.nodes, journal);
  if (mesh) {
    await mesh.connectClients(target, groups);
    return mesh.proxies;
  }
  if (plan.toxiproxy.kind === 'none') return null;
  const proxies = await createProxies(target, plan.toxiproxy, journal, groups);
  teardown.add('remove the proxies', () => proxies.close());
  return proxies;
}

function proxiesText({ links }: ProxyControl): string {
  const ofClients = links.filter(({ channel }) => channel === 'client').length;
  const others = links.length - ofClients;
  if (others > 0) return `${links.length} proxies make a link mesh: ${ofClients} for clients, ${others} between the nodes`;
  return ofClients === 1 ? 'A proxy stands between the clients and the server' : `${ofClients} proxies stand between the clients and the nodes`;
}

/** The lab or the external target alone. */
export async function bringUpTarget(
  plan: Plan,
  teardown: Teardown,
  terminal: Terminal,
  signal: AbortSignal,
  network: LabNetwork | null = null,
): Promise<Target> {
  const options = { onProgress: (text: string) => terminal.talk(text), signal, network };
  const target =
    plan.target.kind === 'external'
      ? await connectExternal(plan, options)
      : plan.target.kept !== undefined
        ? await attachLab(runtimeFolder(), plan.target.kept)
        : await startLab(plan.target, options);
  teardown.add('end the target', () => target.close());
  signal.throwIfAborted();
  checkConfirmCommand(plan, target);
  return target;
}

/** Redis has WAITAOF since 7.2, and every Valkey has it; where it is missing, each write would be answered with an error. */
function checkConfirmCommand(plan: Plan, target: Target): void {
  if (plan.load.confirm?.command !== 'waitaof') return;
  const { server, version } = target.describe();
  if (server === 'valkey') return;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 7 || (major === 7 && minor >= 2)) return;
  throw new KvbenchError(
    'TARGET_REFUSED',
    `load.waitAof needs WAITAOF, which ${server} has since 7.2; this is ${version}`,
    'Take a newer server (--server), or load.wait: { replicas: 1 }, which asks for the memory of replicas.',
  );
}

export interface LoadConnection extends Pick<StageOptions, 'stream' | 'teardown' | 'signal'> {
  /** Where operation logs go; absent: they are not written. */
  folder?: string | null;
}

/** Load workers, connected to the target. */
export async function connectLoad(
  plan: Plan,
  { target, proxies, stream, teardown, signal, folder = null }: Pick<Stage, 'target' | 'proxies'> & LoadConnection,
): Promise<LoadRunner> {
  const endpoints = Array.from({ length: plan.load.threads }, (_, worker) =>
    target.endpoints(proxies?.natMapOf(clientGroupOf(plan, worker)) ?? null),
  );
  const load = new LoadRunner(plan, endpoints, stream, folder);
  teardown.add('end the load workers', () => load.terminate());
  await abortable(load.connect(), signal);
  return load;
}

/** Fills the key space, where the workload wants it. */
export async function preload(plan: Plan, load: LoadRunner, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (!plan.load.workload.preload) return;
  const started = load.preload((done, total) => terminal.status(`  preloading ${formatCount(done)} of ${formatCount(total)} keys`));
  await abortable(started, signal);
  terminal.status(null);
  terminal.talk(`Preloaded ${formatCount(plan.load.workload.keys.count)} keys`);
}

/** Rejects when the signal aborts first; the work itself is ended by the teardown. */
async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    // A work that fails after the abort has nobody left to tell.
    work.catch(() => undefined);
  }
}
