/** The `kill` fault: ends a server's process. Used through the registry; it never touches a process that kvbench did not start. */
import { z } from 'zod';
import type { FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const params = z.strictObject({
  signal: z
    .enum(['KILL', 'TERM'])
    .default('KILL')
    .describe('KILL: the process is gone at once, like a crash. TERM: it shuts down in order, like `systemctl stop`, which can take seconds.'),
});
type KillParams = z.infer<typeof params>;

export const kill: FaultKind<KillParams> = {
  kind: 'kill',
  summary: 'Ends the server process of a node (SIGKILL, or SIGTERM for an orderly shutdown); clients are refused until it is healed.',
  healSummary: 'The process is started again with the same arguments and data.',
  params,
  needs: 'process',
  takesDown: true,
  selector: 'required',
  shading: { color: '#c0392b', label: 'kill' },
  example: '{ at: 8s, for: 10s, fault: kill, node: "master of slot 0", signal: KILL }',
  inject(context, targets, { signal }) {
    const { holds, faultId } = context;
    return injectIntoEach(context, targets, async ({ id }) => ({
      injectedAtUs: await holds.takeDown(id, faultId, `SIG${signal}`),
      heal: () => holds.releaseDown(id, faultId),
      isHealed: () => holds.isUpAgain(id, faultId),
    }));
  },
};
