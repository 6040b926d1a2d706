/**
 * The `rolling-upgrade` fault: as `rolling-restart`, but each server is started again by another program, e.g. Valkey in place of Redis.
 * Used through the registry; only on servers of kvbench's own.
 */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { parseDurationUs } from '../../base/units.js';
import { findServer } from '../../topology/findServer.js';
import { parseInfo } from '../../topology/infoReply.js';
import { withControl } from '../controlCommands.js';
import type { FaultKind } from '../fault.js';
import { startRolling } from '../rolling.js';
import { rollingKeys } from './rollingRestart.js';

const params = z.strictObject({
  to: z
    .string()
    .min(1)
    .describe('The server program that takes over: a name or a path, as `target.server`. It must understand the old one’s files and replication.')
    .meta({ examples: ['valkey-server'] }),
  ...rollingKeys,
});
type UpgradeParams = z.infer<typeof params>;

export const rollingUpgrade: FaultKind<UpgradeParams> = {
  kind: 'rolling-upgrade',
  summary: 'Restarts one server after the other with another program or version, replicas first, and waits in between until everything is in sync.',
  healSummary: 'Heals by itself after the last server; the new program stays. At the end of `for`, or of the load, no further one is begun.',
  params,
  needs: 'process',
  selector: 'optional',
  shading: { color: '#0e6655', label: 'rolling upgrade' },
  example: '{ at: 5s, fault: rolling-upgrade, to: valkey-server }',
  inject(context, targets, { to, signal, failover, pause }) {
    const { processes } = context;
    assert(processes, 'an upgrade without processes');
    const server = findServer(to, process.env);
    context.note(`upgrading to ${server.product}-server ${server.version}`);
    return startRolling(context, targets, {
      signal: `SIG${signal}`,
      failover,
      pauseUs: parseDurationUs(pause) ?? 0,
      whileDown: async (nodeId) => processes.replaceProgram(nodeId, server.path),
      told: (nodeId) =>
        withControl(context, nodeId, async (ask) => {
          const info = parseInfo(String(await ask('INFO', 'server')));
          return `, now ${info.get('valkey_version') ?? info.get('redis_version') ?? '?'}`;
        }),
    });
  },
};
