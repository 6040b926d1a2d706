/** Faults for the tests of profiles: one on processes with a parameter, one on the network with toxics. They only have words. */
import { z } from 'zod';
import type { FaultSchema } from '../chaos/fault.js';

const toxic = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('latency').describe('type'),
    stream: z.enum(['upstream', 'downstream']).default('downstream').describe('stream'),
    attributes: z.strictObject({ latency: z.int().min(0).describe('ms'), jitter: z.int().min(0).default(0).describe('ms') }).describe('attributes'),
  }),
  z.strictObject({
    type: z.literal('bandwidth').describe('type'),
    stream: z.enum(['upstream', 'downstream']).default('downstream').describe('stream'),
    attributes: z.strictObject({ rate: z.int().min(0).describe('KB/s') }).describe('attributes'),
  }),
]);

export const testFaults: readonly FaultSchema[] = [
  {
    kind: 'stop',
    summary: 'Stops a server.',
    healSummary: 'It is started again.',
    params: z.strictObject({ signal: z.enum(['KILL', 'TERM']).default('KILL').describe('Which signal.') }),
    needs: 'process',
    selector: 'required',
    shading: { color: '#c00', label: 'stop' },
    example: '{ at: 1s, fault: stop, node: "master[0]" }',
  },
  {
    kind: 'net',
    summary: 'Makes a network bad.',
    healSummary: 'It is made well.',
    params: z
      .strictObject({
        name: z.string().optional().describe('Name.'),
        description: z.string().optional().describe('Description.'),
        toxics: z.array(toxic).default([]).describe('Toxics.'),
        steps: z
          .array(z.strictObject({ enabled: z.boolean().describe('On or off.'), for: z.string().describe('How long.') }))
          .default([])
          .describe('Steps.'),
        dropConnections: z.boolean().default(false).describe('Drop.'),
      })
      .refine((params) => params.toxics.length > 0 || params.steps.length > 0, { error: 'does nothing: give it toxics' }),
    needs: 'proxy',
    selector: 'optional',
    shading: { color: '#00c', label: 'net' },
    example: '{ at: 1s, fault: net, use: slow-wan }',
  },
];
