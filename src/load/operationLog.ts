/**
 * The operation log of one load worker: a line per operation that ended, for checkers that share nothing with kvbench's own ledger. Asked
 * for with `load.opsLog`; written in large pieces by the worker itself. Without it nothing is paid; with it, text is made per operation.
 */
import type { OperationName } from '../plan/plan.js';
import { LineFile } from '../result/lineFile.js';
import { outcomes } from '../result/records.js';
import { type KeyNaming, keyNameOf } from '../workload/keyNames.js';
import type { OutcomeIndex } from './client.js';
import { INCR } from './share.js';

/** What stands in a line, in this order. Times are µs since t0. */
const columns = ['op', 'key', 'intendedUs', 'sentUs', 'doneUs', 'outcome', 'version', 'attempts'];
/** By the negative of a `ReadResult` (ledger.ts). */
const readResults = ['null', 'null', '"nil"', '"corrupt"', '"foreign"'];

export class OperationLog {
  readonly #lines: LineFile;

  /** @param operations their names by index */
  constructor(
    file: string,
    worker: number,
    readonly keys: KeyNaming,
    readonly operations: readonly OperationName[],
  ) {
    this.#lines = new LineFile(file, { type: 'ops', worker, columns });
  }

  /** `version`: written or read, of a counter the value it was answered, or a `ReadResult`. `sentUs` < 0: it never went out. */
  add(
    op: number,
    keyIndex: number,
    intendedUs: number,
    sentUs: number,
    doneUs: number,
    outcome: OutcomeIndex,
    version: number,
    attempts: number,
  ): void {
    const key = JSON.stringify(keyNameOf(this.keys, op === INCR, keyIndex));
    const sent = sentUs < 0 ? 'null' : sentUs;
    const known = version < 0 ? readResults[-version] : version;
    this.#lines.add(`["${this.operations[op]}",${key},${intendedUs},${sent},${doneUs},"${outcomes[outcome]}",${known},${attempts}]`);
  }

  close(): void {
    this.#lines.close();
  }
}
