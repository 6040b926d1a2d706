/** The schema of `observe`: what is asked of the nodes beside the load. */
import { z } from 'zod';
import { duration } from './fields.js';

export const observeSchema = z.strictObject({
  replicationLag: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'How long a write takes to show on each replica: a small key under the run’s prefix is written on each master that has replicas, and read on these until it is there. Removed afterwards. `auto`: on in a profile with chaos, where the target has replicas.',
    ),
  lagInterval: duration('10ms', '1m')
    .prefault('100ms')
    .describe('How often it is written. While a replica lags, it is read every fiftieth of the lag, from 1 ms to 100 ms.'),
});
