/** The `restart` fault: ends a server's process and starts it again at once. Used through the registry; only on processes of kvbench's own. */
import { z } from 'zod';
import type { FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const params = z.strictObject({
  signal: z
    .enum(['TERM', 'KILL'])
    .default('TERM')
    .describe('TERM: an orderly restart, like `systemctl restart`. KILL: a crash with a supervisor that starts it again at once.'),
});
type RestartParams = z.infer<typeof params>;

export const restart: FaultKind<RestartParams> = {
  kind: 'restart',
  summary: 'Ends the server process of a node and starts it again as soon as it has gone.',
  healSummary: 'Heals by itself when the server answers again; `for` is only the time by which it is made sure of.',
  params,
  needs: 'process',
  takesDown: true,
  selector: 'required',
  shading: { color: '#d35400', label: 'restart' },
  example: '{ at: 8s, fault: restart, node: "replica[0]", signal: TERM }',
  inject(context, targets, { signal }) {
    const { holds, faultId } = context;
    return injectIntoEach(context, targets, async ({ id }) => {
      const injectedAtUs = await holds.takeDown(id, faultId, `SIG${signal}`);
      const done = holds.releaseDown(id, faultId);
      // Its failure is seen by the controller's own heal, which tries again; nobody may be listening yet.
      done.catch(() => undefined);
      return {
        injectedAtUs,
        done,
        heal: () => holds.releaseDown(id, faultId),
        isHealed: () => holds.isUpAgain(id, faultId),
      };
    });
  },
};
