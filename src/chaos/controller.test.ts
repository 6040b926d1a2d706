import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { monotonicUs } from '../base/clock.js';
import type { FaultPlan, FaultState, Plan } from '../plan/plan.js';
import { ChaosController } from './controller.js';
import type { ActiveFault, FaultContext, FaultKind } from './fault.js';
import { environment, faultPlan, nodeView, planOf, RememberingSink, viewOf, waitFor } from './testDoubles.test.support.js';

/** A fault that does what the test tells it, by fault id. */
class FakeFault implements FaultKind {
  readonly kind = 'fake';
  readonly summary = '';
  readonly healSummary = '';
  readonly params = z.unknown();
  readonly needs = 'none';
  readonly selector = 'optional';
  readonly shading = { color: '', label: '' };
  readonly example = '';
  readonly inForce = new Set<number>();
  readonly log: string[] = [];
  readonly injecting = new Map<number, () => Promise<void>>();
  readonly healing = new Map<number, () => Promise<void>>();
  /** Whose heal does nothing, whatever it says. */
  readonly sticky = new Set<number>();
  readonly done = new Map<number, Promise<void>>();

  async inject({ faultId }: FaultContext): Promise<ActiveFault> {
    this.log.push(`inject ${faultId}`);
    await this.injecting.get(faultId)?.();
    this.inForce.add(faultId);
    const done = this.done.get(faultId);
    return {
      injectedAtUs: monotonicUs(),
      ...(done ? { done } : {}),
      heal: async () => {
        this.log.push(`heal ${faultId}`);
        await this.healing.get(faultId)?.();
        if (!this.sticky.has(faultId)) this.inForce.delete(faultId);
      },
      isHealed: async () => !this.inForce.has(faultId),
    };
  }
}

/** States as the milestones would tell them. */
class FakeStates {
  #listener: (faultId: number, state: FaultState, atUs: number) => void = () => undefined;

  onState(listener: (faultId: number, state: FaultState, atUs: number) => void): void {
    this.#listener = listener;
  }

  reached(faultId: number, state: FaultState, atUs: number): void {
    this.#listener(faultId, state, atUs);
  }
}

function stage(chaos: FaultPlan[], options: { loadUs?: number; plan?: Partial<Plan>; states?: FakeStates } = {}) {
  const fake = new FakeFault();
  const sink = new RememberingSink();
  const context = environment();
  const t0Us = monotonicUs() + 20_000;
  const plan = planOf(chaos, options.loadUs ?? 10_000_000, options.plan);
  const controller = new ChaosController({ plan, context, sink, t0Us, states: options.states ?? null, kinds: [fake] });
  const sinceT0 = (): number => monotonicUs() - t0Us;
  return { fake, sink, context, controller, sinceT0 };
}

const never = (): Promise<void> => new Promise(() => undefined);
const at = (atUs: number) => ({ kind: 'at' as const, atUs });
const after = (faultId: number, state: FaultState, delayUs = 0) => ({ kind: 'after' as const, faultId, state, delayUs });

test('a fault is injected and healed when the plan wants it, and tells its targets and times', async () => {
  const { fake, sink, controller } = stage([faultPlan(1, { trigger: at(100_000), forUs: 1_000_000 })]);
  controller.start();
  assert.deepEqual(
    controller.pendingFaults().map((fault) => fault.id),
    [1],
  );
  await waitFor('fault 1 is in force', () => fake.inForce.has(1));
  assert.deepEqual([controller.pendingFaults(), controller.activeFaults()], [[], [1]]);
  await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
  assert.deepEqual(sink.states(1), ['injecting', 'injected', 'healing', 'healed']);
  const injected = sink.first(1, 'injected');
  assert.equal(injected.plannedAtUs, 100_000);
  assert.ok(injected.tUs >= 100_000, `injected at ${injected.tUs}`);
  assert.deepEqual(injected.targets, [{ node: 'n1', shard: 0, role: 'master' }]);
  const healing = sink.first(1, 'healing');
  assert.equal(healing.plannedAtUs, 1_100_000);
  assert.ok(healing.tUs >= 1_100_000, `healing at ${healing.tUs}`);
  assert.deepEqual(controller.activeFaults(), []);
  assert.deepEqual(await controller.healAll('end'), []);
});

test('faults are injected within 20 ms of their plan', async () => {
  const ids = [1, 2, 3, 4, 5];
  const { sink, controller } = stage(ids.map((id) => faultPlan(id, { trigger: at(id * 40_000) })));
  controller.start();
  await waitFor('all are injected', () => ids.every((id) => sink.states(id).includes('injected')));
  const lateUs = ids.map((id) => sink.first(id, 'injected').tUs - id * 40_000).toSorted((a, b) => a - b);
  assert.ok((lateUs[0] ?? -1) >= 0, `too early: ${lateUs}`);
  // The middle one: a busy machine may hold up any single turn of the event loop.
  assert.ok((lateUs[2] ?? Number.POSITIVE_INFINITY) < 20_000, `late by ${lateUs} µs`);
  await controller.healAll('end');
});

test('a fault that hangs does not hold up another', async () => {
  const { fake, sink, controller } = stage([faultPlan(1), faultPlan(2, { trigger: at(50_000) })]);
  let release = (): void => undefined;
  fake.injecting.set(1, () => new Promise((resolve) => (release = resolve)));
  controller.start();
  await waitFor('fault 2 is in force', () => fake.inForce.has(2));
  assert.deepEqual(sink.states(1), ['injecting']);
  release();
  await waitFor('fault 1 is in force', () => fake.inForce.has(1));
  assert.deepEqual(await controller.healAll('end'), []);
});

test('a heal that comes during the injection waits for it', async () => {
  const { fake, sink, controller } = stage([]);
  let release = (): void => undefined;
  fake.injecting.set(1, () => new Promise((resolve) => (release = resolve)));
  controller.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: null });
  controller.submit({ type: 'heal', faultId: 1, plannedAtUs: null });
  await waitFor('fault 1 is being injected', () => fake.log.includes('inject 1'));
  assert.deepEqual(fake.log, ['inject 1']);
  release();
  await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
  assert.deepEqual(fake.log, ['inject 1', 'heal 1']);
});

test('an injection that fails is told and the run goes on', async () => {
  const { fake, sink, controller } = stage([faultPlan(1), faultPlan(2), faultPlan(3, { trigger: after(1, 'injected') })]);
  fake.injecting.set(1, async () => {
    throw new Error('no such process');
  });
  controller.start();
  await waitFor('fault 3 is skipped', () => sink.states(3).includes('skipped'));
  assert.deepEqual(sink.states(1), ['injecting', 'failed']);
  assert.equal(sink.first(1, 'failed').message, 'no such process');
  assert.match(sink.first(3, 'skipped').message ?? '', /waits for "injected" of fault 1, and it failed \(no such process\)/);
  await waitFor('fault 2 is in force', () => fake.inForce.has(2));
  assert.deepEqual(await controller.healAll('end'), []);
});

test('a selector that means nobody skips the fault, and what waits for it', async () => {
  const nobody = faultPlan(1, { selector: { text: 'replica[0]', by: 'replica', index: 0 } });
  const { sink, controller } = stage([
    nobody,
    faultPlan(2, { trigger: after(1, 'redundancyRestored') }),
    faultPlan(3, { trigger: after(2, 'healed') }),
  ]);
  controller.start();
  await waitFor('fault 3 is skipped', () => sink.states(3).includes('skipped'));
  assert.equal(sink.first(1, 'skipped').message, 'no node is "replica[0]" at this moment');
  assert.match(sink.first(2, 'skipped').message ?? '', /fault 1, and it was skipped \(no node is "replica\[0\]"/);
  assert.match(sink.first(3, 'skipped').message ?? '', /fault 2, and it was skipped/);
  await controller.healAll('end');
});

test('without a selector a fault means every node', async () => {
  const { sink, controller } = stage([faultPlan(1, { selector: null })]);
  controller.start();
  await waitFor('fault 1 is in force', () => sink.states(1).includes('injected'));
  assert.deepEqual(
    sink.first(1, 'injected').targets.map((target) => target.node),
    ['n1', 'n2'],
  );
  await controller.healAll('end');
});

test('a fault waits for a state of another, and `for` counts from its own injection', async () => {
  const states = new FakeStates();
  const { sink, controller, sinceT0 } = stage([faultPlan(1), faultPlan(2, { trigger: after(1, 'promoted', 60_000), forUs: 50_000 })], { states });
  controller.start();
  await waitFor('fault 1 is in force', () => sink.states(1).includes('injected'));
  assert.deepEqual(sink.states(2), []);
  const promotedUs = sinceT0();
  states.reached(1, 'promoted', promotedUs);
  await waitFor('fault 2 is healed', () => sink.states(2).includes('healed'));
  const injected = sink.first(2, 'injected');
  assert.equal(injected.plannedAtUs, promotedUs + 60_000);
  assert.ok(injected.tUs >= promotedUs + 60_000);
  assert.equal(sink.first(2, 'healing').plannedAtUs, injected.tUs + 50_000);
  await controller.healAll('end');
});

test('a state that is known late makes its fault due when it is known', async () => {
  const states = new FakeStates();
  const { sink, controller, sinceT0 } = stage([faultPlan(1, { trigger: at(60_000) }), faultPlan(2, { trigger: after(1, 'p99Recovered') })], {
    states,
  });
  controller.start();
  await waitFor('fault 1 is in force', () => sink.states(1).includes('injected'));
  const knownUs = sinceT0();
  states.reached(1, 'p99Recovered', knownUs - 50_000);
  await waitFor('fault 2 is in force', () => sink.states(2).includes('injected'));
  assert.ok((sink.first(2, 'injected').plannedAtUs ?? 0) >= knownUs);
  await controller.healAll('end');
});

test('faults chain by healed, which the controller knows itself', async () => {
  const { sink, controller } = stage([faultPlan(1, { forUs: 30_000 }), faultPlan(2, { trigger: after(1, 'healed') })]);
  controller.start();
  await waitFor('fault 2 is in force', () => sink.states(2).includes('injected'));
  assert.equal(sink.first(2, 'injected').plannedAtUs !== null && sink.first(2, 'injected').tUs >= sink.first(1, 'healed').tUs, true);
  await controller.healAll('end');
});

test('what still waits when the load ends is skipped; what is in force stays until healAll', async () => {
  const { fake, sink, controller } = stage([faultPlan(1), faultPlan(2, { trigger: after(1, 'promoted') })], { loadUs: 100_000 });
  controller.start();
  await waitFor('fault 2 is skipped', () => sink.states(2).includes('skipped'));
  assert.equal(sink.first(2, 'skipped').message, 'the load had ended, and fault 1 had not reached "promoted"');
  assert.ok(fake.inForce.has(1));
  assert.deepEqual(await controller.healAll('the load has ended'), []);
  assert.equal(sink.first(1, 'healing').plannedAtUs, 100_000);
});

test('a heal that fails is told, tried again by healAll, and does not keep others from healing', async () => {
  const { fake, sink, controller } = stage([faultPlan(1, { forUs: 20_000 }), faultPlan(2), faultPlan(3, { trigger: after(1, 'healed') })]);
  let broken = true;
  fake.healing.set(1, async () => {
    if (broken) throw new Error('the server does not start');
  });
  controller.start();
  await waitFor('the heal of fault 1 failed', () => sink.states(1).includes('failed'));
  await waitFor('fault 3 is skipped', () => sink.states(3).includes('skipped'));
  await waitFor('fault 2 is in force', () => fake.inForce.has(2));
  assert.equal(sink.first(1, 'failed').message, 'not healed: the server does not start');
  assert.deepEqual(controller.activeFaults(), [1, 2]);
  assert.deepEqual(await controller.healAll('end'), ['fault 1 (fake of n1): the server does not start']);
  assert.deepEqual(sink.states(2), ['injecting', 'injected', 'healing', 'healed']);
  broken = false;
  assert.deepEqual(await controller.healAll('end'), []);
  assert.equal(sink.states(1).at(-1), 'healed');
});

test('a heal that claims to have worked is looked at', async () => {
  const { fake, controller } = stage([]);
  controller.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: null });
  await waitFor('fault 1 is in force', () => fake.inForce.has(1));
  fake.sticky.add(1);
  const left = await controller.healAll('end');
  assert.deepEqual(left, ['fault 1 (fake of n1): its effect is still there after the heal']);
});

test('healAll heals once, however often it is called, and nothing is injected after it', async () => {
  const { fake, sink, controller } = stage([faultPlan(1), faultPlan(2, { trigger: at(5_000_000) })]);
  controller.start();
  await waitFor('fault 1 is in force', () => fake.inForce.has(1));
  const [first, second] = await Promise.all([controller.healAll('Ctrl-C'), controller.healAll('teardown')]);
  await controller.healAll('again');
  controller.submit({ type: 'inject', fault: faultPlan(4), plannedAtUs: null });
  assert.deepEqual([first, second], [[], []]);
  assert.deepEqual(fake.log, ['inject 1', 'heal 1']);
  assert.equal(sink.first(2, 'skipped').message, 'Ctrl-C');
  assert.equal(sink.first(4, 'skipped').message, 'Ctrl-C');
});

test('healAll waits for an injection that is under way and heals it', async () => {
  const { fake, controller } = stage([]);
  let release = (): void => undefined;
  fake.injecting.set(1, () => new Promise((resolve) => (release = resolve)));
  controller.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: null });
  await waitFor('fault 1 is being injected', () => fake.log.length > 0);
  const healed = controller.healAll('Ctrl-C');
  release();
  assert.deepEqual(await healed, []);
  assert.equal(fake.inForce.size, 0);
});

test('a fault that ends by itself is healed when it has', async () => {
  const { fake, sink, controller } = stage([]);
  let end = (): void => undefined;
  fake.done.set(1, new Promise((resolve) => (end = resolve)));
  controller.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: null });
  await waitFor('fault 1 is in force', () => sink.states(1).includes('injected'));
  assert.equal(sink.states(1).includes('healing'), false);
  end();
  await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
  assert.deepEqual(await controller.healAll('end'), []);
  assert.deepEqual(fake.log, ['inject 1', 'heal 1']);
});

test('an external target meets only the faults its owner allows', async () => {
  const target = { kind: 'external', url: 'redis://h:1', mode: 'auto', username: null, password: null, tls: null } as const;
  const refused = stage([faultPlan(1)], { plan: { target } });
  refused.controller.start();
  await waitFor('fault 1 is skipped', () => refused.sink.states(1).includes('skipped'));
  assert.equal(refused.sink.first(1, 'skipped').message, 'the profile does not allow "fake" on this target');
  const allowed = stage([faultPlan(1)], { plan: { target, allow: ['fake'] } });
  allowed.controller.start();
  await waitFor('fault 1 is in force', () => allowed.fake.inForce.has(1));
  await Promise.all([refused.controller.healAll('end'), allowed.controller.healAll('end')]);
});

test('registered faults refuse a target that has no processes or proxies of ours', async () => {
  const sink = new RememberingSink();
  const plan = planOf([], 1_000_000);
  const controller = new ChaosController({
    plan,
    context: environment({ view: () => viewOf([nodeView('n1')]) }),
    sink,
    t0Us: monotonicUs(),
    states: null,
  });
  for (const [i, kind] of ['kill', 'toxic', 'meteor'].entries()) {
    controller.submit({ type: 'inject', fault: faultPlan(i + 1, { kind }), plannedAtUs: null });
  }
  assert.equal(sink.first(1, 'skipped').message, '"kill" acts only on servers that kvbench started itself');
  assert.equal(sink.first(2, 'skipped').message, '"toxic" needs proxies, and this run has none');
  assert.equal(sink.first(3, 'skipped').message, '"meteor" is no fault kvbench knows');
  await controller.healAll('end');
});

test('an aborted run injects nothing more', async () => {
  const abort = new AbortController();
  const fake = new FakeFault();
  const sink = new RememberingSink();
  const context = environment({ signal: abort.signal });
  const controller = new ChaosController({ plan: planOf([], 1_000_000), context, sink, t0Us: monotonicUs(), states: null, kinds: [fake] });
  fake.injecting.set(1, never);
  abort.abort();
  controller.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: null });
  await waitFor('fault 1 is skipped', () => sink.states(1).includes('skipped'));
  assert.deepEqual(fake.log, []);
  await controller.healAll('end');
});
