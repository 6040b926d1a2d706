/** The undo journals that are about one lab in the background: read by `lab`, `heal`. It never touches those of a process that still runs. */
import { isStillRunning } from '../base/processIdentity.js';
import { type UndoResult, undoJournal } from '../chaos/undo.js';
import { type FoundJournal, findJournals, type UndoStep } from '../chaos/undoJournal.js';
import { isAlive, readLabState } from '../topology/labState.js';

/** Without that of its own keeper, which goes with the lab. */
export async function journalsOfLab(runtime: string, lab: string): Promise<FoundJournal[]> {
  const keeper = readLabState(runtime, lab)?.keeper;
  return (await findJournals(runtime)).filter(({ head }) => head.lab === lab && head.owner.pid !== keeper?.pid);
}

/** Whether the lab whose servers and links its steps are about has gone, so that only what lies outside of it is left to undo. */
export function isOfGoneLab(runtime: string, { head }: FoundJournal): boolean {
  if (head.lab === undefined) return false;
  const state = readLabState(runtime, head.lab);
  return state === null || !isAlive(state);
}

/** What a lab that has gone leaves outside of itself is undone, the rest crossed out. */
export async function settleGoneLab(journal: FoundJournal): Promise<UndoResult> {
  return undoJournal({ ...journal, open: journal.open.filter(({ step }) => isOutside(step)) });
}

/** All journals of a lab that has gone. @returns what could not be undone, in words */
export async function settleJournalsOf(runtime: string, lab: string): Promise<string[]> {
  const failed: string[] = [];
  for (const journal of await journalsOfLab(runtime, lab)) {
    if (!isStillRunning(journal.head.owner)) failed.push(...(await settleGoneLab(journal)).failed);
  }
  return failed;
}

/** A program of the user's, and proxies in a Toxiproxy that outlives the lab. */
function isOutside(step: UndoStep): boolean {
  return step.kind === 'exec' || (step.kind === 'toxiproxy' && step.toxic === undefined);
}
