/** What the ledger costs the lean client: kvbench with it against kvbench without, on the same server, in turn. Called by main.ts. */
import { messageOf } from '../base/errors.js';
import { orderOfRound } from './arithmetic.js';
import { type LedgerSection, makeHead } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { BenchServers } from './benchServers.js';
import { benchCases } from './cases.js';
import { kvbench } from './contenders.js';
import { describe, measureContender } from './throughput.js';

type Way = 'off' | 'on';

export async function measureLedger(run: BenchRun): Promise<LedgerSection> {
  const servers = await BenchServers.start(1, run.signal);
  const cases: LedgerSection['cases'] = [];
  try {
    for (const benchCase of benchCases.filter(({ masters }) => masters === 1)) {
      run.say(`ledger, kvbench wire, ${benchCase.title}`);
      const result: LedgerSection['cases'][number] = { id: benchCase.id, title: benchCase.title, off: [], on: [], failures: [] };
      for (let round = 0; round < run.rounds; round++) {
        for (const way of orderOfRound<Way>(['off', 'on'], round)) {
          try {
            const context = { ...run, servers, windowUs: run.seconds * 1_000_000 };
            const { window } = await measureContender(kvbench('wire', { ledger: way }), benchCase, context);
            result[way].push(window);
            run.say(`  round ${round + 1}/${run.rounds}  ledger ${way.padEnd(4)} ${describe(window)}`);
          } catch (error) {
            run.signal.throwIfAborted();
            await run.children.endAll();
            result[way].push(null);
            result.failures.push(`round ${round + 1}, ledger ${way}: ${messageOf(error)}`);
            run.say(`  round ${round + 1}/${run.rounds}  ledger ${way.padEnd(4)} failed: ${messageOf(error)}`);
          }
        }
      }
      cases.push(result);
    }
  } finally {
    await run.children.endAll();
    await servers.close();
  }
  const notes = ['All 100,000 keys are tracked; reading them back after the load is not part of the window.'];
  return { ...makeHead({ server: servers.version, rounds: run.rounds, seconds: run.seconds, notes }), cases };
}
