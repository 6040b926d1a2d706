/** The schema of `load`: how much, for how long, through which client. Its workload is in workloadSchema.ts. */
import { z } from 'zod';
import { arrivals, pacings } from '../plan/plan.js';
import { waitAofSchema, waitSchema } from './confirmSchema.js';
import { duration, rate, together, whole } from './fields.js';
import { nameField } from './workloadSchema.js';

/** Names that a fault's sides give a meaning of their own, and ids of nodes. */
const GROUP_NAME = /^(?!(?:clients|rest|[ns]\d+)$)[A-Za-z][A-Za-z0-9_-]{0,31}$/;

export const phaseSchema = together(
  z.strictObject({
    name: nameField()
      .optional()
      .describe('What reports and thresholds call it; `phase-1` and so on when absent.')
      .meta({ examples: ['steady'] }),
    duration: duration()
      .describe('How long it lasts.')
      .meta({ examples: ['30s'] }),
    rate: z
      .union([
        rate(),
        z
          .array(rate())
          .min(1)
          .max(100)
          .meta({ examples: [['1000/s', '2000/s', '4000/s']] }),
      ])
      .optional()
      .describe(
        'Open loop: operations per second over all workers, sent at their time whatever the server does. `a..b` goes linearly from a to b. A list makes steps: phases `name-1`, `name-2` and so on, which share the duration equally.',
      )
      .meta({ examples: ['1000/s..20000/s'] }),
    arrivals: z
      .enum(arrivals)
      .optional()
      .describe(
        'With `rate`: how operations follow each other. `constant`, evenly spaced; `poisson`, at random as of many independent users (exponential gaps), with exactly as many over the phase as the rate says. `constant` when absent.',
      )
      .meta({ examples: ['poisson'] }),
    clients: whole(1, 100_000)
      .optional()
      .describe('Closed loop, instead of `rate`: so many virtual clients, each waiting for its answers before it goes on.')
      .meta({ examples: [50] }),
    pipeline: whole(1, 10_000)
      .optional()
      .describe('With `clients`: operations each client keeps in flight. 1 when absent.')
      .meta({ examples: [16] }),
    operations: whole(1, 10_000_000_000)
      .optional()
      .describe(
        'The phase ends when so many operations have begun, or at the end of its duration, whichever is first. With `clients` in the last phase only, and the load ends with it: nobody knows before when that will be.',
      )
      .meta({ examples: [1_000_000] }),
    record: z.boolean().default(true).describe('False for a warm-up: counted apart, in no threshold and no statistics.'),
  }),
  (has, problem, value) => {
    if (Array.isArray(value('rate')) && has('operations'))
      problem('operations belongs to a single rate; for a list of steps, write one phase for each', 'operations');
    if (has('rate') && has('clients')) problem('rate and clients exclude each other; rate is an open loop, clients a closed one', 'clients');
    if (!has('rate') && !has('clients')) problem('a phase needs rate (e.g. rate: 5000/s) or clients (e.g. clients: 50)');
    if (has('arrivals') && !has('rate')) problem('arrivals belongs to an open loop (rate); in a closed loop the answers set the pace', 'arrivals');
    if (has('pipeline') && !has('clients'))
      problem('pipeline belongs to a closed loop (clients); with rate, the limit is load.maxInFlight', 'pipeline');
  },
);
export type Phase = z.output<typeof phaseSchema>;

export const phasesSchema = z.array(phaseSchema).min(1).max(1000);

/** `workload` and `phases` are what stands under those keys: as resolved, or (for documents) as people write them. */
export function loadSchema<W extends z.ZodType, P extends z.ZodType>(workload: W, phases: P) {
  return z.strictObject({
    client: z
      .enum(['ioredis', 'wire'])
      .default('ioredis')
      .describe(
        'What sends the operations: `ioredis`, as a Node application would; or `wire`, a lean client on plain sockets that loads a server harder.',
      ),
    threads: whole(1, 64).default(2).describe('Worker threads that share the load.'),
    clientGroups: z
      .record(z.string().regex(GROUP_NAME).meta({ title: 'name (letters, digits, "_" and "-"; not clients, rest or a node’s id)' }), whole(1, 64))
      .optional()
      .describe(
        'Where the clients stand when a fault cuts the network (`clients of NAME` in its sides): groups, each with so many of the worker threads, and so that share of the load and of the keys written. Results tell them apart.',
      )
      .meta({ examples: [{ minority: 1, majority: 1 }] }),
    workload: workload.describe('The workload: a file relative to the profile, the name of a shipped one, or its keys right here.'),
    connections: whole(1, 10_000).default(4).describe('Connections per shard and worker.'),
    maxInFlight: whole(1, 10_000_000).default(10_000).describe('Operations under way per shard and worker; beyond it they wait in a queue.'),
    maxQueued: whole(0, 10_000_000).default(100_000).describe('Length of that queue per shard and worker; its overflow is dropped (and counted).'),
    timeout: duration('1ms', '10m').prefault('5s').describe('Deadline of an operation, from its intended start.'),
    resend: z
      .enum(['never', 'client-default'])
      .default('never')
      .describe(
        'Whether the client may send an operation again after a lost connection, and so apply it twice: `client-default` shows what applications get.',
      ),
    readFrom: z
      .enum(['master', 'replica'])
      .default('master')
      .describe(
        'On a cluster, who answers GETs and custom commands of `kind: read`: the master of the key, or its replicas in turn (and the master while none of them can be reached), whose answers may be older.',
      ),
    wait: waitSchema
      .optional()
      .describe(
        'WAIT after each write, on the same connection: the operation ends when the server says how many replicas have it. That fewer have it is no failure of the write: it is counted (`client.waitShort`) and shown. A connection that waits does nothing else: give it enough `connections`.',
      )
      .meta({ examples: [{ replicas: 1, timeout: '100ms' }] }),
    waitAof: waitAofSchema
      .optional()
      .describe('WAITAOF after each write, counted as for `wait`: synced to disk, not only received. Redis 7.2 and newer, and Valkey.')
      .meta({ examples: [{ local: 1, replicas: 1, timeout: '100ms' }] }),
    ledger: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe(
        'The record of what was acknowledged, against which all tracked keys are read back after the run: lost writes, stale reads, damaged values, double increments. It changes nothing of the load but the first 24 bytes of values (of records with `checksum`, the first one’s own number and sum go with them); shorter values are tracked without a version. `auto`: on in a profile with chaos.',
      ),
    ledgerKeys: whole(1, 100_000_000)
      .default(1_000_000)
      .describe(
        'The most keys the ledger tracks, about 25 bytes of memory each. Of a larger key space every n-th key is tracked, and the report says so.',
      ),
    opsLog: z
      .boolean()
      .default(false)
      .describe(
        'Write one line per operation (`ops-<worker>.ndjson`) and what the servers hold in the end (`final-values.ndjson`), so that `kvbench verify` can do the count again. Takes about 100 bytes of disk per operation and costs the load generator throughput.',
      ),
    pacing: z
      .enum(['auto', ...pacings])
      .default('auto')
      .describe(
        'What wakes a worker when an operation of an open loop is due. `timer`: Node’s own, 1–2 ms late, next to no CPU. `thread`: one sleeping thread for all workers, 0.05 to 0.3 ms late; it costs a few percent of a core at 1,000/s and about a third of a core at 20,000/s, where it wakes a worker 4,000 times per second (with two cores all workers together). `spin`: the worker never sleeps, a few µs late, takes a core per worker. `auto`: `thread` where there are more cores than workers, else `timer`, as where no phase has a rate; never `spin`. The plan in `run.json` says which it was.',
      ),
    phases: phases.describe(
      'The phases, one after the other; the first starts at t0. Required, but for a profile with `capacity`, which makes its own.',
    ),
  });
}
