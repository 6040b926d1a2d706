/** The `pause` fault: stops a server's process where it stands. Used through the registry; never on a process kvbench did not start. */
import { z } from 'zod';
import type { FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const params = z.strictObject({});
type PauseParams = z.infer<typeof params>;

export const pause: FaultKind<PauseParams> = {
  kind: 'pause',
  summary: 'Stops the server process of a node (SIGSTOP): connections stay open, nothing is answered, like a frozen machine or a long stall.',
  healSummary: 'The process goes on where it stood (SIGCONT).',
  params,
  needs: 'process',
  takesDown: true,
  selector: 'required',
  shading: { color: '#8e44ad', label: 'pause' },
  example: '{ at: 8s, for: 1s, fault: pause, node: "master[0]" }',
  inject(context, targets) {
    const { holds, faultId } = context;
    return injectIntoEach(context, targets, async ({ id }) => ({
      injectedAtUs: await holds.takePaused(id, faultId),
      heal: () => holds.releasePaused(id, faultId),
      isHealed: () => holds.isResumed(id, faultId),
    }));
  },
};
