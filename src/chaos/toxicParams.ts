/**
 * The words of a toxic: every toxic type of Toxiproxy with its attributes, by Toxiproxy's names and in its units, and the steps of a
 * flapping link. Used by `faults/toxic.ts`. It checks and fills in defaults; it never rewrites what was written.
 */
import { z } from 'zod';
import { parseDurationUs } from '../base/units.js';
import { linkChannels } from './links.js';
import { sideMembers } from './sideParams.js';

const SHORTEST_STEP_US = 10_000;
const MOST_TOXICS = 20;
const MOST_STEPS = 100;

const milliseconds = z.int('must be a whole number of milliseconds').min(0).max(3_600_000);
const fraction = z.number().min(0).max(1);

/** Toxiproxy's type → its attributes. What would do nothing at its default of zero must be given. */
const attributesOfType = {
  latency: z.strictObject({
    latency: milliseconds.describe('delay of all data, ms'),
    jitter: milliseconds.default(0).describe('uniform variation of the delay, ± ms'),
  }),
  bandwidth: z.strictObject({ rate: z.int().min(0).describe('KB/s; 0 stalls the link') }),
  slow_close: z.strictObject({ delay: milliseconds.describe('how late a close is passed on, ms') }),
  timeout: z.strictObject({ timeout: milliseconds.default(0).describe('drops all data and closes after so many idle ms; 0: never closes') }),
  reset_peer: z.strictObject({ timeout: milliseconds.default(0).describe('resets new connections so many ms after their first data') }),
  limit_data: z.strictObject({ bytes: z.int().min(0).describe('closes a connection after so many bytes') }),
  slicer: z
    .strictObject({
      average_size: z.int().min(1).describe('average size of a slice, bytes'),
      size_variation: z.int().min(0).default(0).describe('± bytes, smaller than average_size'),
      delay: z.int().min(0).max(60_000_000).default(0).describe('pause between slices, µs'),
    })
    .refine((attributes) => attributes.size_variation < attributes.average_size, {
      path: ['size_variation'],
      error: 'must be smaller than average_size',
    }),
  packet_loss: z.strictObject({
    loss_rate: fraction.describe('share of the chunks that is dropped, 0 to 1'),
    correlation: fraction.default(0).describe('how much likelier a chunk is dropped after a dropped one, 0 to 1'),
  }),
  noop: z.strictObject({}),
};
export type ToxicType = keyof typeof attributesOfType;
export const toxicTypes = Object.keys(attributesOfType) as ToxicType[];

const stream = z
  .enum(['upstream', 'downstream'])
  .default('downstream')
  .describe('downstream: what the server sends to the clients; upstream: what they send to it');
const toxicity = fraction.default(1).describe('share of the connections it acts on, 0 to 1');

/** One variant of the union; attributes may be left out where all of them have defaults. */
function toxicOf<T extends ToxicType, A extends z.ZodType>(type: T, attributes: A) {
  return z.strictObject({ type: z.literal(type).describe('what it does to the data'), stream, toxicity, attributes });
}

/** One toxic, e.g. `{ type: latency, stream: downstream, attributes: { latency: 80, jitter: 10 } }`. */
export const toxicSchema = z.discriminatedUnion(
  'type',
  [
    toxicOf('latency', attributesOfType.latency),
    toxicOf('bandwidth', attributesOfType.bandwidth),
    toxicOf('slow_close', attributesOfType.slow_close),
    toxicOf('timeout', attributesOfType.timeout.prefault({})),
    toxicOf('reset_peer', attributesOfType.reset_peer.prefault({})),
    toxicOf('limit_data', attributesOfType.limit_data),
    toxicOf('slicer', attributesOfType.slicer),
    toxicOf('packet_loss', attributesOfType.packet_loss),
    toxicOf('noop', attributesOfType.noop.prefault({})),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? `unknown toxic type; one of ${toxicTypes.join(', ')}` : undefined) },
);

const stepSchema = z.strictObject({
  enabled: z.boolean().describe('false: the link is cut, connections are closed and new ones refused; true: it is there, with its toxics'),
  for: z
    .string()
    .refine((text) => (parseDurationUs(text) ?? 0) >= SHORTEST_STEP_US, 'must be a duration of at least 10ms, like 200ms or 1s')
    .describe('how long the step lasts, e.g. 200ms'),
});

const linkClass = z.enum(linkChannels);

/** Parameters of the `toxic` fault; `name` and `description` come from a toxic's file. */
export const toxicParamsSchema = z
  .strictObject({
    name: z.string().optional().describe('name of the network condition, for the timeline'),
    description: z.string().optional().describe('what the condition stands for'),
    link: z
      .union([linkClass, z.array(linkClass).min(1).max(linkChannels.length)])
      .optional()
      .describe(
        'Which links: client (clients to nodes), replication (replicas to their masters), bus (the nodes among themselves), sentinel. `client` when absent, or with from or to: all. Others than client put the lab on a link mesh.',
      ),
    from: sideMembers.optional().describe('Only links that these open: node selectors, `rest`, `clients`, `clients of NAME`.'),
    to: sideMembers
      .optional()
      .describe('Only links that lead to these nodes. A replica opens the link to its master; data flows both ways (stream).'),
    toxics: z.array(toxicSchema).max(MOST_TOXICS).default([]).describe('toxics that act together, in this order'),
    steps: z.array(stepSchema).max(MOST_STEPS).default([]).describe('a cycle the link goes through while the fault is in force: a flapping link'),
    dropConnections: z
      .boolean()
      .default(false)
      .describe('whether existing client connections are dropped at injection and at the start of every step with `enabled: true`'),
  })
  .refine((params) => params.toxics.length > 0 || params.dropConnections || params.steps.some((step) => !step.enabled), {
    error: 'does nothing: give it toxics, a step with `enabled: false`, or `dropConnections: true`',
  });
export type ToxicParams = z.infer<typeof toxicParamsSchema>;
