/** The limits of a fault's steps, on a clock the test moves. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import type { EventOf } from '../result/records.js';
import { Claims } from './claims.js';
import type { ActiveFault, FaultKind } from './fault.js';
import { FaultRun, HEAL_LIMIT_US, INJECT_LIMIT_US } from './faultRun.js';
import { NodeHolds } from './nodeHolds.js';
import { environment, faultPlan } from './testDoubles.test.support.js';

interface Stage {
  run: FaultRun;
  events: EventOf<'fault'>[];
  kind: FaultKind;
  healed: { count: number; shortfall: string | null };
  finishInject(): void;
  finishHeal(): void;
  passUs(durationUs: number): Promise<void>;
}

/** A fault whose steps end when the test says so. */
function stage(t: TestContext): Stage {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const events: EventOf<'fault'>[] = [];
  const holds = new NodeHolds(null, null, () => undefined);
  const context = { ...environment(), faultId: 1, aim: { targets: [], sides: [] }, claims: new Claims(), holds };
  const run = new FaultRun(faultPlan(1), context, 0, (event) => events.push(event));
  const healed: Stage['healed'] = { count: 0, shortfall: null };
  let finishInject = (): void => undefined;
  let finishHeal = (): void => undefined;
  const injecting = new Promise<void>((resolve) => (finishInject = resolve));
  const healing = new Promise<void>((resolve) => (finishHeal = resolve));
  const active: ActiveFault = {
    injectedAtUs: 0,
    async heal() {
      await healing;
      healed.count++;
    },
    isHealed: async () => healed.count > 0,
    shortfall: () => healed.shortfall,
  };
  const kind: FaultKind = {
    kind: 'fake',
    summary: '',
    healSummary: '',
    params: z.unknown(),
    needs: 'none',
    selector: 'optional',
    shading: { color: '', label: '' },
    example: '',
    async inject() {
      await injecting;
      return active;
    },
  };
  const passUs = async (durationUs: number): Promise<void> => {
    await settle();
    t.mock.timers.tick(durationUs / 1000);
    await settle();
  };
  return { run, events, kind, healed, finishInject, finishHeal, passUs };
}

/** Everything that can happen without time passing. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const statesOf = (events: EventOf<'fault'>[]): string[] => events.map((event) => event.state);

test('an injection over its limit has failed, and is healed at once should it come true', async (t) => {
  const { run, events, kind, healed, finishInject, finishHeal, passUs } = stage(t);
  const injected = run.inject(kind, null, () => null);
  await passUs(INJECT_LIMIT_US);
  await injected;
  assert.deepEqual(statesOf(events), ['injecting', 'failed']);
  assert.equal(events.at(-1)?.message, 'injecting fault 1 did not finish within 10 s');
  assert.equal(run.inForce, false);
  assert.match((await run.unhealed()) ?? '', /^fault 1 \(fake of n1\): its injection has not come to an end$/);
  finishHeal();
  finishInject();
  await settle();
  assert.equal(healed.count, 1);
  assert.deepEqual(statesOf(events).slice(2), ['healing', 'healed']);
  assert.equal(await run.unhealed(), null);
});

test('a heal over its limit has failed and is reported; it counts should it come true', async (t) => {
  const { run, events, kind, finishInject, finishHeal, passUs } = stage(t);
  finishInject();
  await run.inject(kind, null, () => null);
  const healing = run.heal(null);
  await passUs(HEAL_LIMIT_US);
  await healing;
  assert.deepEqual(statesOf(events), ['injecting', 'injected', 'healing', 'failed']);
  assert.ok(run.inForce);
  assert.equal(await run.unhealed(), 'fault 1 (fake of n1): healing fault 1 did not finish within 26 s');
  finishHeal();
  await settle();
  assert.equal(events.at(-1)?.state, 'healed');
  assert.equal(await run.unhealed(), null);
});

test('a fault that did not do all it was to do is healed, and has failed', async (t) => {
  const { run, events, kind, healed, finishInject, finishHeal } = stage(t);
  healed.shortfall = '3 slots of 10 were moved';
  finishInject();
  finishHeal();
  await run.inject(kind, null, () => null);
  assert.equal(run.shortfall(), null, 'it may still do it');
  await run.heal(null);
  assert.deepEqual(statesOf(events).slice(-2), ['healed', 'failed']);
  assert.equal(events.at(-1)?.message, '3 slots of 10 were moved');
  assert.equal(run.shortfall(), '3 slots of 10 were moved');
  assert.equal(await run.unhealed(), null, 'nothing of it is left');
});
