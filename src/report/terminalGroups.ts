/** What each group of clients got, on the terminal, and while the network was cut. Called by terminalSummary.ts; pure. */
import { formatCount, formatSeconds } from '../base/units.js';
import type { Summary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';

export function addGroups(page: SummaryPage, { clientGroups = [], faults }: Summary): void {
  if (clientGroups.length === 0) return;
  page.section('CLIENTS', 'by group; while the network was cut, since the injection, to 100ms');
  for (const { name, ok, fail, info, dropped } of clientGroups) page.row(name, `${formatCount(ok)} ok, ${formatCount(fail + info + dropped)} not`);
  const rows = clientGroups.flatMap(({ name, cuts }) =>
    cuts.flatMap(({ faultId, shards }) => {
      const startMs = faults.find(({ id }) => id === faultId)?.injectedAtMs ?? 0;
      return shards.map(({ shard, kind, ok, notOk, firstOkMs, lastOkMs }) => {
        const when =
          firstOkMs === null || lastOkMs === null
            ? 'never ok'
            : `ok from +${formatSeconds(firstOkMs - startMs)} to +${formatSeconds(lastOkMs - startMs)}`;
        return [`fault ${faultId}`, name, `shard ${shard}`, `${kind}s`, `${formatCount(ok)} ok`, `${formatCount(notOk)} not`, when];
      });
    }),
  );
  if (rows.length === 0) return;
  page.line('');
  page.table(rows, ['left', 'left', 'left', 'left', 'right', 'right', 'left']);
}
