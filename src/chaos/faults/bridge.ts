/** The `bridge` fault: two halves that see one common node. Used through the registry; it acts on links of the mesh alone. */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { cutLinks, cutModeParam } from '../cut.js';
import type { FaultKind } from '../fault.js';
import { selectorsOfGroups, sideGroups } from '../sideParams.js';
import { linksAcross, sidesOf } from '../sides.js';

const params = z.strictObject({
  groups: sideGroups(2)
    .max(2)
    .optional()
    .describe('The halves, as in `partition`; when absent the other nodes in start order, the first half and the second, and clients reach all.'),
  mode: cutModeParam,
});
type BridgeParams = z.infer<typeof params>;

export const bridge: FaultKind<BridgeParams> = {
  kind: 'bridge',
  summary: 'Splits the network in two halves that do not reach each other, while both reach one node in the middle (Jepsen’s bridge).',
  healSummary: 'All links are there again; connections that were cut are closed, so that both ends connect anew.',
  params,
  needs: 'mesh',
  selector: 'required',
  shading: { color: '#935116', label: 'bridge' },
  example: '{ at: 8s, for: 8s, fault: bridge, node: "replica[0]" }',
  selectorsOf: ({ groups = [] }) => selectorsOfGroups('groups', groups),
  aim(scope, selected, { groups }) {
    const middle = selected.map(({ id }) => id);
    const others = scope.view.nodes.map(({ id }) => id).filter((id) => !middle.includes(id));
    const half = Math.ceil(others.length / 2);
    const sides = groups ? sidesOf(scope, groups, middle) : [others.slice(0, half), others.slice(half)].map((nodes) => ({ nodes, clients: [] }));
    return { targets: scope.view.nodes.slice(), sides };
  },
  inject(context, _targets, { mode }) {
    assert(context.proxies, 'a bridge without proxies');
    return cutLinks(context, linksAcross(context.proxies.links, context.aim.sides), mode);
  },
};
