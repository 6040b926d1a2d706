/**
 * The `slow-command` fault: one command that keeps the server busy for a known time, as a big KEYS or a careless script does: Redis
 * does one thing at a time, so everybody waits. Used through the registry. It reads and writes no key.
 */
import { z } from 'zod';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import { parseDurationUs } from '../../base/units.js';
import { hasNoProcess, patientControl, untilTrue, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

const LONGEST_US = 20_000_000;
/** A server that does not answer within `duration` and this is not busy but gone. */
const SLACK_US = 5_000_000;
/** How long a refusal takes at most. */
const REFUSAL_US = 20_000;

/** Ends by the server's clock; a server on which no time passes inside a script says so instead of running for ever. */
const script = `local s = redis.call('TIME')
local ms, n = tonumber(ARGV[1]), 0
repeat
  local t = redis.call('TIME')
  local gone = (t[1] - s[1]) * 1000 + (t[2] - s[2]) / 1000
  n = n + 1
  if gone == 0 and n > 200000 then return redis.error_reply('ERR no time passes inside scripts of this server') end
until gone >= ms
return n`;

const params = z.strictObject({
  duration: z
    .string()
    .refine((text) => inRange(parseDurationUs(text)), 'must be a duration from 1ms to 20s, like 500ms')
    .default('1s')
    .describe('How long the command takes. From the server’s busy-reply-threshold (5 s) on, others get BUSY instead of waiting on (`by: script`).')
    .meta({ title: 'duration', examples: ['500ms'] }),
  by: z
    .enum(['script', 'debug-sleep'])
    .default('script')
    .describe('script: a Lua loop, on any server. debug-sleep: DEBUG SLEEP, which needs no CPU, but `enable-debug-command` in target.config.'),
});
type SlowParams = z.infer<typeof params>;

export const slowCommand: FaultKind<SlowParams> = {
  kind: 'slow-command',
  summary: 'Sends a command that keeps the server busy for a known time; all its clients wait meanwhile, and so does its replication.',
  healSummary: 'It ends by itself; the heal waits for it, and breaks off a script that the server calls BUSY.',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#b7950b', label: 'slow command' },
  example: '{ at: 8s, fault: slow-command, node: "master[0]", duration: 800ms }',
  inject(context, targets, options) {
    return injectIntoEach(context, targets, ({ id }) => keepBusy(context, id, options));
  },
};

async function keepBusy(context: FaultContext, nodeId: string, { duration, by }: SlowParams): Promise<ActiveFault> {
  const durationUs = parseDurationUs(duration) ?? 0;
  const redis = patientControl(context, nodeId);
  let over = false;
  let failure: string | null = null;
  try {
    await redis.connect();
    const injectedAtUs = monotonicUs();
    const command = by === 'script' ? redis.call('EVAL', script, 0, durationUs / 1000) : redis.call('DEBUG', 'SLEEP', String(durationUs / 1_000_000));
    const done = command
      .then(() => context.note(`${nodeId} was busy for ${Math.round((monotonicUs() - injectedAtUs) / 1000)} ms`))
      .catch((error: unknown) => {
        failure = messageOf(error);
      })
      .finally(() => {
        over = true;
        redis.disconnect();
      });
    // What it does cannot be asked while it does it; but a refusal would come at once.
    await Promise.race([done, sleepUs(REFUSAL_US)]);
    if (failure !== null) throw new KvbenchError('FAULT_FAILED', `${nodeId} did not take the slow command: ${failure}`, hintFor(failure));
    return { injectedAtUs, done, heal: () => breakOff(context, nodeId, durationUs, () => over), isHealed: async () => over };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** Before the server answers BUSY nobody can tell it anything. A server that was ended took the command with it. */
async function breakOff(context: FaultContext, nodeId: string, durationUs: number, isOver: () => boolean): Promise<void> {
  await untilTrue(`${nodeId} has done the slow command`, durationUs + SLACK_US, async () => {
    if (isOver() || hasNoProcess(context, nodeId)) return true;
    await withControl(context, nodeId, (ask) => ask('SCRIPT', 'KILL')).catch(() => undefined);
    return isOver();
  });
}

function hintFor(failure: string): string | undefined {
  return /DEBUG/i.test(failure) ? 'Allow it in a lab: target: { config: { enable-debug-command: local } }, or leave `by` out.' : undefined;
}

function inRange(us: number | undefined): boolean {
  return us !== undefined && us >= 1000 && us <= LONGEST_US;
}
