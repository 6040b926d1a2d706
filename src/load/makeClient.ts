/** The load client that a plan names. Called by worker.ts. Only what it needs is loaded: ioredis takes 25 MB in every worker. */
import { traitsOf } from '../plan/operations.js';
import { keyNameOf } from '../workload/keyNames.js';
import type { Client } from './client.js';
import type { ClientOptions } from './ioredisClient.js';

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
  const { workload, connections, readFrom } = plan.load;
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
    listener,
  });
}
