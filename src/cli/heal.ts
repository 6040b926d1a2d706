/**
 * `kvbench heal`: undoes what runs left that were killed before they could heal, by their undo journals. Prints each thing it undid, and
 * precisely what it could not; never touches what a living run has in force.
 */
import { resolve } from 'node:path';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { isStillRunning } from '../base/processIdentity.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { isProcessStopped } from '../chaos/processState.js';
import { undoJournal } from '../chaos/undo.js';
import { type FoundJournal, findJournals } from '../chaos/undoJournal.js';
import { attachLab } from '../topology/keptLab.js';
import { journalFolderOf } from './inject.js';
import type { HealArguments } from './main.js';
import type { Terminal } from './terminal.js';

/** 0: nothing is left to undo; 107: something is. */
export async function heal({ run, lab }: HealArguments, terminal: Terminal): Promise<ExitCode> {
  if (lab !== undefined && run !== undefined) throw new KvbenchError('INVALID_ARGUMENT', 'both a run and --lab were given', 'Leave one of them out.');
  const all = await findJournals(runtimeFolder());
  const journals = lab === undefined ? chosen(all, run) : all.filter(({ head }) => head.folder === journalFolderOf(lab));
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
  const { undone, failed } = await undoJournal(journal);
  terminal.data(`${name}: ${open.length === 0 ? 'nothing was left to undo' : `${undone.length} of ${open.length} steps undone`}.\n`);
  for (const what of undone) terminal.data(`  undone      ${what}\n`);
  for (const what of failed) terminal.data(`  NOT undone  ${what}\n`);
  return failed.length;
}

/** Resumes what is stopped, starts what is down. @returns how many nodes are not well then */
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
    return left;
  } finally {
    await lab.close();
  }
}
