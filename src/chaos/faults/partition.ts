/** The `partition` fault: the network falls into parts. Used through the registry; it acts on links of the mesh alone, never on a server. */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { cutLinks, cutModeParam } from '../cut.js';
import type { FaultKind } from '../fault.js';
import { selectorsOfGroups, sideGroups } from '../sideParams.js';
import { linksAcross, nodesOf, sidesOf } from '../sides.js';

const params = z.strictObject({
  groups: sideGroups(2).describe(
    'The sides: lists of node selectors, `rest` (every node that is on no other side), `clients`, or `clients of NAME` (a group of load.clientGroups). Nobody reaches a node on another side. Clients and nodes that are on no side reach everybody.',
  ),
  mode: cutModeParam,
});
type PartitionParams = z.infer<typeof params>;

export const partition: FaultKind<PartitionParams> = {
  kind: 'partition',
  summary: 'Splits the network: nodes (and clients) of one side do not reach those of another, in either direction; nobody is stopped.',
  healSummary: 'All links are there again; connections that were cut are closed, so that both ends connect anew.',
  params,
  needs: 'mesh',
  selector: 'none',
  shading: { color: '#b7410e', label: 'partition' },
  example: '{ at: 8s, for: 8s, fault: partition, groups: [["master[0]", "clients of minority"], ["rest", "clients of majority"]] }',
  selectorsOf: ({ groups }) => selectorsOfGroups('groups', groups),
  aim(scope, _selected, { groups }) {
    const sides = sidesOf(scope, groups);
    return { targets: nodesOf(scope.view, sides), sides };
  },
  inject(context, _targets, { mode }) {
    assert(context.proxies, 'a partition without proxies');
    return cutLinks(context, linksAcross(context.proxies.links, context.aim.sides), mode);
  },
};
