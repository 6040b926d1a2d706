/** The load client that a plan names. Called by worker.ts. */
import type { Client } from './client.js';
import { type ClientOptions, IoredisClient } from './ioredisClient.js';

export function makeClient(options: ClientOptions): Client {
  const { client } = options.plan.load;
  switch (client) {
    case 'ioredis':
      return new IoredisClient(options);
  }
}
