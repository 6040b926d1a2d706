/** The `rolling-restart` fault: every server is restarted, one after the other. Used through the registry; only servers of kvbench's own. */
import { z } from 'zod';
import { parseDurationUs } from '../../base/units.js';
import type { FaultKind } from '../fault.js';
import { startRolling } from '../rolling.js';

export const rollingKeys = {
  signal: z.enum(['TERM', 'KILL']).default('TERM').describe('TERM: in order, like `systemctl restart`. KILL: like a crash.'),
  failover: z
    .boolean()
    .default(true)
    .describe('Whether a master of a cluster hands over to a replica in sync first. Without it, each master’s restart is an outage.'),
  pause: z
    .string()
    .refine((text) => (parseDurationUs(text) ?? -1) >= 0, 'must be a duration like 2s')
    .default('0s')
    .describe('How long it waits after each server, beside the wait until all are in sync.')
    .meta({ title: 'duration', examples: ['2s'] }),
};
const params = z.strictObject(rollingKeys);
type RollingParams = z.infer<typeof params>;

export const rollingRestart: FaultKind<RollingParams> = {
  kind: 'rolling-restart',
  summary: 'Restarts one server after the other, replicas first, and waits in between until everything is in sync again. All of them without `node`.',
  healSummary: 'Heals by itself after the last server; at the end of `for`, or of the load, no further one is begun.',
  params,
  needs: 'process',
  selector: 'optional',
  shading: { color: '#117a65', label: 'rolling restart' },
  example: '{ at: 5s, fault: rolling-restart, failover: true, pause: 1s }',
  inject(context, targets, { signal, failover, pause }) {
    return startRolling(context, targets, {
      signal: `SIG${signal}`,
      failover,
      pauseUs: parseDurationUs(pause) ?? 0,
      told: async () => '',
    });
  },
};
