/**
 * `kvbench heal`: undoes what runs left that were killed before they could heal, by their undo journals. Prints each thing it undid, and
 * precisely what it could not; never touches what a living run has in force.
 */
import { resolve } from 'node:path';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { isStillRunning } from '../base/processIdentity.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { cleanProxies } from '../chaos/keptProxies.js';
import { isProcessStopped } from '../chaos/processState.js';
import { undoJournal } from '../chaos/undo.js';
import { type FoundJournal, findJournals } from '../chaos/undoJournal.js';
import { attachLab, requireLab } from '../topology/keptLab.js';
import type { KeptNetwork } from '../topology/labState.js';
import { isOfGoneLab, journalsOfLab, settleGoneLab } from './labJournals.js';
import type { HealArguments } from './main.js';
import type { Terminal } from './terminal.js';

/** So many steps of a journal are told one by one. */
const MOST_LINES = 6;

/** 0: nothing is left to undo; 107: something is. */
export async function heal({ run, lab }: HealArguments, terminal: Terminal): Promise<ExitCode> {
  if (lab !== undefined && run !== undefined) throw new KvbenchError('INVALID_ARGUMENT', 'both a run and --lab were given', 'Leave one of them out.');
  const runtime = runtimeFolder();
  if (lab !== undefined) requireLab(runtime, lab);
  const journals = lab === undefined ? chosen(await findJournals(runtime), run) : await journalsOfLab(runtime, lab);
  let left = 0;
  for (const journal of journals) left += await healOne(journal, terminal);
  if (lab !== undefined) return (await healLab(lab, terminal)) + left > 0 ? ExitCode.internal : ExitCode.passed;
  if (left > 0) return ExitCode.internal;
  if (journals.length === 0) terminal.data('Nothing to heal: no run left anything behind.\n');
  return ExitCode.passed;
}

function chosen(journals: readonly FoundJournal[], run: string | undefined): readonly FoundJournal[] {
  if (run === undefined) return journals;
  const folder = resolve(run);
  const found = journals.filter((journal) => journal.head.folder === folder);
  if (found.length > 0 || journals.length === 0) return found;
  const others = journals.map(({ head }) => head.folder).join(', ');
  throw new KvbenchError('INVALID_ARGUMENT', `the run ${run} left nothing to heal`, `These did: ${others}`);
}

/** How many steps are left. */
async function healOne(journal: FoundJournal, terminal: Terminal): Promise<number> {
  const { head, open } = journal;
  const name = `${head.run} (${head.folder})`;
  if (isStillRunning(head.owner)) {
    terminal.data(`${name} is running as process ${head.owner.pid} and heals itself: left alone.\n`);
    return 0;
  }
  const { undone, failed } = isOfGoneLab(runtimeFolder(), journal) ? await settleGoneLab(journal) : await undoJournal(journal);
  const what = head.what === undefined ? '' : `${head.what}: `;
  terminal.data(`${name}: ${what}${open.length === 0 ? 'nothing was left to undo' : countText(undone.length, failed.length, open.length)}.\n`);
  for (const line of undone.length > MOST_LINES ? [...undone.slice(0, MOST_LINES - 1), `and ${undone.length - MOST_LINES + 1} more`] : undone)
    terminal.data(`  undone      ${line}\n`);
  for (const what of failed) terminal.data(`  NOT undone  ${what}\n`);
  return failed.length;
}

/** Where the lab has gone, what was in force there went with it. */
function countText(undone: number, failed: number, all: number): string {
  const gone = all - undone - failed;
  if (gone === all) return 'it went with its lab';
  return `${undone} of ${all - gone} steps undone${gone > 0 ? `, ${gone} went with their lab` : ''}`;
}

/** Resumes what is stopped, starts what is down, opens every link. @returns how much is not well then */
async function healLab(name: string, terminal: Terminal): Promise<number> {
  const lab = await attachLab(runtimeFolder(), name);
  let left = 0;
  let mended = 0;
  try {
    for (const { id } of lab.nodes) {
      const pid = lab.processes.pidOf(id);
      if (pid !== null && !(await isProcessStopped(pid))) continue;
      try {
        if (pid === null) await lab.processes.start(id);
        else await lab.processes.signal(id, 'SIGCONT');
        mended++;
        terminal.data(`lab ${name}: ${id} ${pid === null ? 'started again' : 'goes on where it stood'}\n`);
      } catch (error) {
        left++;
        terminal.data(`lab ${name}: ${id} is NOT mended: ${messageOf(error)}\n`);
      }
    }
    if (mended + left === 0) terminal.data(`lab ${name}: every node runs\n`);
    return left + (lab.network ? await openLinks(name, lab.network, terminal) : 0);
  } finally {
    await lab.close();
  }
}

/** What somebody left on the links without a journal; what a living process has in force there stays. @returns how much is not well */
async function openLinks(name: string, network: KeptNetwork, terminal: Terminal): Promise<number> {
  const living = (await journalsOfLab(runtimeFolder(), name)).find(({ head }) => isStillRunning(head.owner));
  if (living) {
    terminal.data(`lab ${name}: its links are left to process ${living.head.owner.pid} (${living.head.what ?? living.head.run})\n`);
    return 0;
  }
  try {
    const mended = await cleanProxies(network);
    terminal.data(`lab ${name}: every link is open${mended > 0 ? `, ${mended} of them again` : ''}\n`);
    return 0;
  } catch (error) {
    terminal.data(`lab ${name}: its links are NOT mended: ${messageOf(error)}\n`);
    return 1;
  }
}
