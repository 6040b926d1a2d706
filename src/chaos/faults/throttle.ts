/**
 * The `throttle` fault: a process that gets only a share of its time, as on an overbooked machine. SIGSTOP and SIGCONT take turns. Used
 * through the registry; never on a process kvbench did not start.
 */
import { z } from 'zod';
import { sleepUs } from '../../base/clock.js';
import { parseDurationUs } from '../../base/units.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const SHORTEST_PERIOD_US = 10_000;
const LONGEST_PERIOD_US = 10_000_000;

const params = z.strictObject({
  share: z
    .string()
    .regex(/^([1-9]|[1-9]\d)%$/, 'must be a percentage from 1% to 99%, like 30%')
    .default('30%')
    .describe('The share of the time in which the process may run.')
    .meta({ title: 'percentage', examples: ['30%'] }),
  period: z
    .string()
    .refine((text) => inRange(parseDurationUs(text)), 'must be a duration from 10ms to 10s, like 100ms')
    .default('100ms')
    .describe('One turn of stopping and running: short ones make a slow server, long ones one that stutters.')
    .meta({ title: 'duration', examples: ['100ms'] }),
});
type ThrottleParams = z.infer<typeof params>;

export const throttle: FaultKind<ThrottleParams> = {
  kind: 'throttle',
  summary: 'Lets the server process of a node run only a share of the time (SIGSTOP and SIGCONT in turn), like a starved machine.',
  healSummary: 'The process runs on undisturbed (SIGCONT).',
  params,
  needs: 'process',
  selector: 'required',
  shading: { color: '#a569bd', label: 'throttle' },
  example: '{ at: 8s, for: 5s, fault: throttle, node: "master[0]", share: 30%, period: 100ms }',
  inject(context, targets, { share, period }) {
    const periodUs = parseDurationUs(period) ?? SHORTEST_PERIOD_US;
    const runUs = Math.round((periodUs * Number.parseInt(share, 10)) / 100);
    return injectIntoEach(context, targets, ({ id }) => starve(context, id, periodUs - runUs, runUs));
  },
};

async function starve(context: FaultContext, nodeId: string, stopUs: number, runUs: number): Promise<ActiveFault> {
  const { holds, faultId } = context;
  const ending = new AbortController();
  const injectedAtUs = await holds.takePaused(nodeId, faultId);
  const turns = (async () => {
    for (;;) {
      await sleepUs(stopUs, ending.signal);
      if (ending.signal.aborted) return;
      await holds.releasePaused(nodeId, faultId).catch(() => undefined);
      await sleepUs(runUs, ending.signal);
      if (ending.signal.aborted) return;
      // Fails while another fault has the process down; at its next turn it may run again.
      await holds.takePaused(nodeId, faultId).catch(() => undefined);
    }
  })();
  return {
    injectedAtUs,
    async heal() {
      ending.abort();
      await turns;
      await holds.releasePaused(nodeId, faultId);
    },
    isHealed: () => holds.isResumed(nodeId, faultId),
  };
}

function inRange(us: number | undefined): boolean {
  return us !== undefined && us >= SHORTEST_PERIOD_US && us <= LONGEST_PERIOD_US;
}
