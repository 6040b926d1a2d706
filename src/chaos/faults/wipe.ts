/**
 * The `wipe` fault: a server that comes back without its data. Used through the registry; only on servers and folders of kvbench's own. It
 * never takes nodes.conf: without that a node comes back as a stranger whom nobody invites, which no restart heals; remove-node and add-node do.
 */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { messageOf } from '../../base/errors.js';
import type { FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const params = z.strictObject({});
type WipeParams = z.infer<typeof params>;

export const wipe: FaultKind<WipeParams> = {
  kind: 'wipe',
  summary:
    'Ends the server process of a node (SIGKILL) and removes its data from the disk: a machine that comes back with an empty one. A master that is back before its replica was promoted hands its emptiness on.',
  healSummary: 'The process is started again with the same arguments and without data; in a cluster it still knows who it is.',
  params,
  needs: 'process',
  takesDown: true,
  costsData: true,
  selector: 'required',
  shading: { color: '#943126', label: 'wipe' },
  example: '{ at: 8s, for: 10s, fault: wipe, node: "replica[0]" }',
  inject(context, targets) {
    const { holds, faultId, processes } = context;
    assert(processes, 'a wipe without processes');
    return injectIntoEach(context, targets, async ({ id }) => {
      const injectedAtUs = await holds.takeDown(id, faultId, 'SIGKILL');
      try {
        await processes.removeData(id);
      } catch (error) {
        await holds.releaseDown(id, faultId).catch((later: unknown) => context.note(`${id}: ${messageOf(later)}`));
        throw error;
      }
      return { injectedAtUs, heal: () => holds.releaseDown(id, faultId), isHealed: () => holds.isUpAgain(id, faultId) };
    });
  },
};
