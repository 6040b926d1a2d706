/** The load client that a plan names. Called by worker.ts. Only what it needs is loaded: ioredis takes 25 MB in every worker. */
import { traitsOf } from '../plan/operations.js';
import type { ConfirmPlan } from '../plan/plan.js';
import { keyNameOf } from '../workload/keyNames.js';
import type { Client } from './client.js';
import { confirmArguments } from './confirmArguments.js';
import type { ClientOptions } from './ioredisClient.js';
import type { WriteConfirmation } from './wire/connectionSeam.js';

export async function makeClient(options: ClientOptions): Promise<Client> {
  const { client } = options.plan.load;
  switch (client) {
    case 'ioredis': {
      const { IoredisClient } = await import('./ioredisClient.js');
      return new IoredisClient(options);
    }
    case 'wire':
      return makeWireClient(options);
  }
}

async function makeWireClient({ plan, endpoints, worker, routing, values, stamper, completion, replies, listener }: ClientOptions): Promise<Client> {
  const [{ CommandEncoder }, { WireClient }] = await Promise.all([import('./wire/commandEncoder.js'), import('./wire/wireClient.js')]);
  const { workload, connections, readFrom, confirm } = plan.load;
  const { prefix, perTag } = workload.keys;
  // Without tags names are prefix + index: what is left of the name of counter 0 without its digit.
  const counterPrefix = keyNameOf({ prefix, perTag: 0 }, true, 0).slice(0, -1);
  const encoder = new CommandEncoder({
    prefix,
    counterPrefix,
    perTag,
    ttlMs: workload.ttlMs,
    values,
    stamper: stamper ?? null,
    commands: workload.commands,
  });
  const { reads } = traitsOf(workload);
  const name = `kvbench-wire-${worker}`;
  return new WireClient({
    endpoints,
    connections,
    readFrom,
    reads,
    routing,
    encoder,
    name,
    protocol: 2,
    completion,
    replies: replies ?? null,
    confirm: confirm === undefined ? null : confirmationOf(confirm, reads),
    listener,
  });
}

function confirmationOf(confirm: ConfirmPlan, reads: Uint8Array): WriteConfirmation {
  const args = confirmArguments(confirm);
  const text = [confirm.command.toUpperCase(), ...args.map(String)].map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('');
  return { command: Buffer.from(`*${args.length + 1}\r\n${text}`), reads, local: confirm.local, replicas: confirm.replicas };
}
