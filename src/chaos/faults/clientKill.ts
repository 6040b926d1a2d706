/**
 * The `client-kill` fault: a server closes its clients' connections (CLIENT KILL), once or again and again. Used through the registry.
 * It never closes connections that kvbench watches or controls the nodes by: they carry a name.
 */
import { z } from 'zod';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { parseDurationUs } from '../../base/units.js';
import { CONTROL_NAME } from '../../topology/connection.js';
import { type Ask, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const SHORTEST_REPEAT_US = 50_000;

const params = z.strictObject({
  type: z
    .enum(['normal', 'replica', 'pubsub'])
    .default('normal')
    .describe('Whose connections: normal clients, replicas (they come back and resynchronise partially), or subscribers.'),
  repeat: z
    .string()
    .refine((text) => (parseDurationUs(text) ?? 0) >= SHORTEST_REPEAT_US, 'must be a duration of at least 50ms, like 500ms')
    .optional()
    .describe('Closes them again after each such time while the fault is in force; once when absent.')
    .meta({ title: 'duration', examples: ['500ms'] }),
});
type KillParams = z.infer<typeof params>;

export const clientKill: FaultKind<KillParams> = {
  kind: 'client-kill',
  summary: 'Has a server close its clients’ connections (CLIENT KILL), but not those kvbench watches it by; they can connect again at once.',
  healSummary: 'None needed after a single time; with `repeat` nothing more is closed.',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#af601a', label: 'client kill' },
  example: '{ at: 8s, for: 5s, fault: client-kill, node: "master[0]", repeat: 500ms }',
  inject(context, targets, options) {
    return injectIntoEach(context, targets, ({ id }) => cutOff(context, id, options));
  },
};

async function cutOff(context: FaultContext, nodeId: string, { type, repeat }: KillParams): Promise<ActiveFault> {
  const once = (): Promise<number> => withControl(context, nodeId, (ask) => killAll(ask, type));
  const injectedAtUs = monotonicUs();
  const first = await once();
  const healed = { heal: () => Promise.resolve(), isHealed: () => Promise.resolve(true) };
  context.note(`${nodeId} closed ${first} connections (${type})`);
  if (repeat === undefined) return { injectedAtUs, done: Promise.resolve(), ...healed };
  const ending = new AbortController();
  let over = false;
  const repeating = (async () => {
    let told = false;
    for (;;) {
      await sleepUs(parseDurationUs(repeat) ?? SHORTEST_REPEAT_US, ending.signal);
      if (ending.signal.aborted) break;
      await once().catch((error: unknown) => {
        if (!told) context.note(`fault ${context.faultId}: ${messageOf(error)}`);
        told = true;
      });
    }
    over = true;
  })();
  return {
    injectedAtUs,
    heal: () => {
      ending.abort();
      return repeating;
    },
    isHealed: async () => over,
  };
}

/** How many it closed. One that has gone by itself in between is no error. */
async function killAll(ask: Ask, type: KillParams['type']): Promise<number> {
  const list = String(await ask('CLIENT', 'LIST', 'TYPE', type));
  const ids = list.split('\n').flatMap((line) => {
    const fields = new Map(line.split(' ').map((field): [string, string] => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)]));
    const id = fields.get('id');
    return id === undefined || fields.get('name') === CONTROL_NAME ? [] : [id];
  });
  const killed = await Promise.all(ids.map((id) => ask('CLIENT', 'KILL', 'ID', id).then(Number)));
  return killed.reduce((sum, count) => sum + count, 0);
}
