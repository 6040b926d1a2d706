/** The `isolate` fault: one node cut off from everybody. Used through the registry; it acts on links of the mesh alone, never on a server. */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { cutLinks, cutModeParam } from '../cut.js';
import type { FaultKind } from '../fault.js';
import { linksAcross } from '../sides.js';

const params = z.strictObject({
  clients: z
    .enum(['cut', 'keep'])
    .default('cut')
    .describe('Whether clients are cut off from it too. keep: they still reach it, as when only the network between the servers fails.'),
  mode: cutModeParam,
});
type IsolateParams = z.infer<typeof params>;

export const isolate: FaultKind<IsolateParams> = {
  kind: 'isolate',
  summary: 'Cuts a node off from all other nodes, in both directions, and from the clients; of several nodes each stands alone.',
  healSummary: 'All its links are there again; connections that were cut are closed, so that both ends connect anew.',
  params,
  needs: 'mesh',
  selector: 'required',
  shading: { color: '#a04000', label: 'isolate' },
  example: '{ at: 8s, for: 5s, fault: isolate, node: "master[0]", clients: keep }',
  aim(scope, selected, { clients }) {
    const alone = selected.map(({ id }) => ({ nodes: [id], clients: [] }));
    const others = scope.view.nodes.map(({ id }) => id).filter((id) => !selected.some((node) => node.id === id));
    const rest = { nodes: others, clients: clients === 'cut' ? [...scope.clientGroups] : [] };
    return { targets: [...selected], sides: [...alone, rest] };
  },
  inject(context, _targets, { mode }) {
    assert(context.proxies, 'an isolation without proxies');
    return cutLinks(context, linksAcross(context.proxies.links, context.aim.sides), mode);
  },
};
