/** Checks of `load.ledger`, `load.opsLog` and of thresholds that need the ledger. Called by loadProfile.ts and crossChecks.ts once the parts are parsed. */
import type { Ground } from './crossChecks.js';
import { isMap } from './profileTree.js';

/** Null: a ledger will be kept; else why not, and what to do. As makePlan.ts decides it. */
export function whyNoLedger({ tree, faultCount }: Pick<Ground, 'tree' | 'faultCount'>): string | null {
  const setting = tree.get(['load', 'ledger']) ?? 'auto';
  if (setting === 'off') return 'load.ledger is off; write ledger: on';
  if (setting === 'on') return null;
  if (tree.get(['capacity']) !== undefined) return 'the trials of a search for the capacity keep none';
  if (hasCustomWrites(tree)) return 'a custom command writes keys, of which no ledger can know the versions';
  return faultCount > 0 ? null : 'without chaos it is off unless load.ledger says on; write ledger: on';
}

export function checkLedger({ tree, problems }: Ground): void {
  const isOn = tree.get(['load', 'ledger']) === 'on';
  const isSearch = tree.get(['capacity']) !== undefined;
  if (isOn && isSearch) {
    problems.add(tree.place(['load', 'ledger']), 'ledger: a search for the capacity fills its keys once for all trials; leave ledger out');
  } else if (isOn && hasCustomWrites(tree)) {
    problems.add(
      tree.place(['load', 'ledger']),
      'ledger: a custom command of the workload writes keys, and what it writes has no version; leave ledger out, or the command',
    );
  }
  if (tree.get(['load', 'opsLog']) === true && isSearch)
    problems.add(tree.place(['load', 'opsLog']), 'opsLog: the trials of a search for the capacity are not logged; leave it out');
}

function hasCustomWrites(tree: Ground['tree']): boolean {
  const commands = tree.get(['load', 'workload', 'commands']);
  const weights = tree.get(['load', 'workload', 'operations']);
  if (!isMap(commands)) return false;
  return Object.entries(commands).some(
    ([name, command]) => (!isMap(command) || command.kind !== 'read') && (!isMap(weights) || Number(weights[name] ?? 0) > 0),
  );
}
