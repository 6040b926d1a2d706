/** The `one-way` fault: some no longer reach others, who still reach them. Used through the registry; it acts on links of the mesh alone. */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { KvbenchError } from '../../base/errors.js';
import { cutLinks, cutModeParam } from '../cut.js';
import type { FaultKind } from '../fault.js';
import { selectorsOfMembers, sideMembers } from '../sideParams.js';
import { endsOf, linksFrom, nodesOf } from '../sides.js';

const params = z.strictObject({
  from: sideMembers.describe('Whose calls do not get through: node selectors, `rest`, `clients`, `clients of NAME`.'),
  to: sideMembers.describe(
    'Whom they do not reach: node selectors, `rest`. What these open to `from` still works, in both directions of the data. Redis counts whatever it hears of a node: cutting only what the others open to a node never makes it fail, since its own pings still arrive.',
  ),
  mode: cutModeParam,
});
type OneWayParams = z.infer<typeof params>;

export const oneWay: FaultKind<OneWayParams> = {
  kind: 'one-way',
  summary: 'Cuts the connections that some open to others, and not those that these open to them, as a wrong firewall rule does.',
  healSummary: 'The links are there again; connections that were cut are closed, so that both ends connect anew.',
  params,
  needs: 'mesh',
  selector: 'none',
  shading: { color: '#ca6f1e', label: 'one-way' },
  example: '{ at: 8s, for: 5s, fault: one-way, from: "replica of master[0]", to: "master[0]" }',
  selectorsOf: ({ from, to }) => [...selectorsOfMembers('from', from), ...selectorsOfMembers('to', to)],
  aim(scope, _selected, params) {
    const { from, to } = endsOf(scope, params.from, params.to);
    if (!from || !to || to.nodes.length === 0) throw new KvbenchError('FAULT_FAILED', `no node is "${params.to.join(', ')}" at this moment`);
    return { targets: nodesOf(scope.view, [from, to]), sides: [from, to] };
  },
  async inject(context, _targets, { mode }) {
    assert(context.proxies, 'a one-way cut without proxies');
    const [from, to] = context.aim.sides;
    const links = from && to ? linksFrom(context.proxies.links, from, to) : [];
    if (links.length === 0) throw new KvbenchError('FAULT_FAILED', 'no link leads from `from` to `to`');
    return cutLinks(context, links, mode);
  },
};
