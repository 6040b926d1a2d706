/**
 * The `exec` fault: a command of the user's own, told whom it is about; and another that undoes it. Used through the registry. No shell
 * is between, nothing of the run's secrets is handed over, and no command outlives its time limit.
 */
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import { parseDurationUs } from '../../base/units.js';
import { addressParts } from '../../topology/connection.js';
import type { NodeView } from '../../topology/target.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';
import type { UndoEntry } from '../undoJournal.js';

/** Below the limits of an injection and of a heal. */
const LONGEST_US = 9_000_000;
const OUTPUT_CHARS = 300;

const command = z
  .array(z.string())
  .min(1)
  .meta({ title: 'program and arguments', examples: [['tc-block.sh', '{host}', '{port}']] });
const params = z.strictObject({
  inject: command.describe(
    'Program and arguments, without a shell. {node}, {role}, {address}, {host} and {port} stand for the node; so do KVBENCH_NODE, KVBENCH_ROLE, KVBENCH_ADDRESS, KVBENCH_HOST, KVBENCH_PORT and KVBENCH_FAULT in its environment.',
  ),
  heal: command
    .optional()
    .describe('What undoes it, in the same way. It may be run more than once, also by `kvbench heal`. Nothing needs undoing when absent.'),
  limit: z
    .string()
    .refine((text) => inRange(parseDurationUs(text)), 'must be a duration from 10ms to 9s, like 5s')
    .default('5s')
    .describe('The longest each may take; then its whole process group is killed, and it has failed.')
    .meta({ title: 'duration', examples: ['5s'] }),
});
type ExecParams = z.infer<typeof params>;

export const exec: FaultKind<ExecParams> = {
  kind: 'exec',
  summary: 'Runs a command of yours to break something, and another to mend it; each is told id, address and role of the node.',
  healSummary: 'The command `heal` is run; its exit code must be 0.',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#424949', label: 'exec' },
  example: '{ at: 8s, for: 5s, fault: exec, node: "master[0]", inject: [./break.sh, "{address}"], heal: [./mend.sh, "{address}"] }',
  inject(context, targets, options) {
    return injectIntoEach(context, targets, (node) => run(context, node, options));
  },
};

async function run(context: FaultContext, node: NodeView, { inject, heal, limit }: ExecParams): Promise<ActiveFault> {
  const limitUs = parseDurationUs(limit) ?? LONGEST_US;
  const words = wordsOf(node);
  const env = environmentOf(words, context.faultId);
  let undo: UndoEntry | null = null;
  let healed = false;
  const mend = async (): Promise<void> => {
    if (heal) await execute(context, filled(heal, words), env, limitUs);
    healed = true;
    await undo?.done();
  };
  if (heal) undo = await context.journal.add({ kind: 'exec', argv: filled(heal, words), env, limitMs: limitUs / 1000 });
  const injectedAtUs = monotonicUs();
  try {
    await execute(context, filled(inject, words), env, limitUs);
  } catch (error) {
    // It may have done half of what it does.
    await mend().catch((later: unknown) => context.note(`fault ${context.faultId}: ${messageOf(later)}`));
    throw error;
  }
  return { injectedAtUs, heal: mend, isHealed: async () => healed };
}

/** Exit code and last words are told on the timeline. @throws FAULT_FAILED unless it exits with 0 within its limit */
async function execute(context: FaultContext, argv: readonly string[], env: Record<string, string>, limitUs: number): Promise<void> {
  const [program = '', ...args] = argv;
  const startUs = monotonicUs();
  // A process group of its own: whatever it starts can be ended with it.
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-OUTPUT_CHARS)));
  let late = false;
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has gone.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    killGroup();
  }, limitUs / 1000);
  const ended = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`));
  });
  clearTimeout(timer);
  // What it left in the background would outlive the run.
  killGroup();
  const ms = Math.round((monotonicUs() - startUs) / 1000);
  const words = output.trim() === '' ? '' : `: ${output.trim()}`;
  context.note(`fault ${context.faultId}: ${argv.join(' ')} ended after ${ms} ms with ${late ? 'its time limit' : ended}${words}`);
  if (late) throw new KvbenchError('FAULT_FAILED', `${program} did not end within ${limitUs / 1_000_000} s${words}`);
  if (ended !== 'exit code 0') throw new KvbenchError('FAULT_FAILED', `${program} ended with ${ended}${words}`);
}

function wordsOf({ id, role, address }: NodeView): Record<string, string> {
  const { host, port } = addressParts(address);
  return { node: id, role, address, host, port: String(port) };
}

function filled(argv: readonly string[], words: Readonly<Record<string, string>>): string[] {
  return argv.map((text) => text.replace(/\{(node|role|address|host|port)\}/g, (_, name: string) => words[name] ?? ''));
}

function environmentOf(words: Readonly<Record<string, string>>, faultId: number): Record<string, string> {
  const named = Object.entries(words).map(([name, value]): [string, string] => [`KVBENCH_${name.toUpperCase()}`, value]);
  return { ...Object.fromEntries(named), KVBENCH_FAULT: String(faultId) };
}

function inRange(us: number | undefined): boolean {
  return us !== undefined && us >= 10_000 && us <= LONGEST_US;
}
