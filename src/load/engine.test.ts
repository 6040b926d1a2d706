import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hdrHighestValueUs } from '../base/hdrIndex.js';
import type { Arrivals, PhasePlan } from '../plan/plan.js';
import { OutcomeIndex } from './client.js';
import { type Answer, closedPhase, EngineHarness, openPhase, planOf, type SentOperation, T0_US } from './engine.test.support.js';
import { NO_REASON, reasonIndex } from './reasonIndex.js';

const ok = (afterUs: number): Answer => ({ afterUs, outcome: OutcomeIndex.ok, reason: -1 });
const refused = (afterUs: number): Answer => ({ afterUs, outcome: OutcomeIndex.fail, reason: reasonIndex.refused });

/** Highest response time counted, in µs. */
function maxResponseUs(harness: EngineHarness): number {
  return Math.max(0, ...harness.intervals.flatMap((i) => i.cells).map((cell) => hdrHighestValueUs(cell.response.indices.at(-1) ?? 0)));
}

describe('every planned operation has exactly one end', () => {
  test('whatever the client does, over all workers: planned = ok + fail + info + dropped', () => {
    const answers = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.nat(50_000).map(ok) },
        { weight: 2, arbitrary: fc.nat(5_000).map(refused) },
        { weight: 1, arbitrary: fc.constant(null) },
        // Answers that come after the deadline, when the row may have a new use.
        { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 400_000 }).map(ok) },
        { weight: 1, arbitrary: fc.nat(80_000).map((afterUs): Answer => ({ afterUs, outcome: OutcomeIndex.info, reason: reasonIndex.reset })) },
      ),
      { minLength: 1, maxLength: 40 },
    );
    const shape = fc.record({
      answers,
      seed: fc.nat(1_000_000),
      rate: fc.integer({ min: 100, max: 4000 }),
      maxInFlight: fc.integer({ min: 1, max: 40 }),
      maxQueued: fc.integer({ min: 1, max: 60 }),
      workers: fc.integer({ min: 1, max: 3 }),
      shardCount: fc.integer({ min: 1, max: 3 }),
      keyCount: fc.integer({ min: 1, max: 50 }),
      closed: fc.boolean(),
      pairs: fc.boolean(),
      arrivals: fc.constantFrom<Arrivals>('constant', 'poisson'),
      stopAtUs: fc.option(fc.record({ atUs: fc.integer({ min: 1000, max: 900_000 }), mode: fc.constantFrom('drain' as const, 'now' as const) })),
    });
    fc.assert(
      fc.property(shape, (s) => {
        const first = openPhase(s.rate, 300_000, { arrivals: s.arrivals }) as Extract<PhasePlan, { kind: 'open' }>;
        const second: PhasePlan = s.closed
          ? { ...closedPhase(7, 2, 300_000), index: 1, startUs: 300_000 }
          : openPhase(s.rate * 2, 300_000, { index: 1, startUs: 300_000, firstOperation: first.operationCount });
        const plan = planOf({
          phases: [first, second],
          seed: s.seed,
          maxInFlight: s.maxInFlight,
          maxQueued: s.maxQueued,
          timeoutUs: 90_000,
          readModifyWrite: s.pairs ? 1 : 0,
          keys: { count: s.keyCount },
        });
        let plannedOpen = 0;
        for (let worker = 0; worker < s.workers; worker++) {
          let next = worker;
          const harness = new EngineHarness(plan, () => s.answers[next++ % s.answers.length] ?? null, {
            worker,
            workers: s.workers,
            shardCount: s.shardCount,
          });
          if (s.stopAtUs !== null) {
            harness.run(s.stopAtUs.atUs);
            if (harness.finishedCount === 0) harness.engine.stop(s.stopAtUs.mode);
          }
          harness.runToEnd();
          const totals = harness.totals();
          assert.equal(totals.planned, totals.ok + totals.fail + totals.info + totals.dropped);
          assert.equal(totals.responses, totals.ok + totals.info);
          assert.deepEqual(
            harness.intervals.map((interval) => interval.index),
            harness.intervals.map((_, index) => index),
          );
          const last = harness.intervals.at(-1);
          assert.deepEqual([last?.inFlight, last?.queued], [0, 0]);
          for (const cell of harness.intervals.flatMap((i) => i.cells))
            plannedOpen += plan.load.phases[cell.phase]?.kind === 'open' ? cell.planned : 0;
        }
        if (s.stopAtUs !== null) return;
        const inPlan = first.operationCount + (second.kind === 'open' ? second.operationCount : 0);
        assert.ok(s.pairs ? plannedOpen >= inPlan : plannedOpen === inPlan, `${plannedOpen} of ${inPlan}`);
      }),
      { numRuns: 150 },
    );
  });

  test('operations are planned in the interval of their intended start, also after the thread was blocked', () => {
    const harness = new EngineHarness(planOf({ phases: [openPhase(1000, 2_000_000)], timeoutUs: 5_000_000 }), () => ok(500));
    harness.run(400_000);
    harness.run(1_500_000, 1_100_000);
    harness.runToEnd();
    for (const interval of harness.intervals.slice(0, 20)) {
      const planned = interval.cells.filter((cell) => cell.slot === interval.index).reduce((sum, cell) => sum + cell.planned, 0);
      assert.equal(planned, 100, `interval ${interval.index}`);
    }
    assert.equal(harness.totals().ok, 2000);
  });

  test('an answer that comes after the deadline does not end another operation', () => {
    const late: SentOperation[] = [];
    const harness = new EngineHarness(planOf({ phases: [openPhase(100, 1_000_000)], timeoutUs: 50_000, keys: { count: 100_000 } }), (sent) => {
      late.push(sent);
      return sent.token % 2 === 0 ? ok(70_000) : ok(100);
    });
    harness.runToEnd();
    const totals = harness.totals();
    assert.equal(totals.planned, 100);
    assert.equal(totals.byReason.get(reasonIndex.timeout), totals.info);
    assert.equal(totals.info, late.filter((sent) => sent.token % 2 === 0).length);
  });
});

describe('queues and deadlines', () => {
  test('what waits in the queue past its deadline fails unsent; what was sent is unknown, with its age', () => {
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(4000, 100_000)], maxInFlight: 1, timeoutUs: 50_000, keys: { count: 100_000 } }),
      () => null,
    );
    harness.runToEnd();
    const totals = harness.totals();
    assert.equal(totals.planned, 400);
    assert.equal(totals.info, harness.sent.length);
    assert.ok(totals.info > 0 && totals.fail > 200, `${totals.info} sent`);
    assert.equal(totals.fail, 400 - harness.sent.length);
    assert.equal(totals.byReason.get(reasonIndex['queue-timeout']), totals.fail);
    assert.ok(maxResponseUs(harness) >= 50_000 && maxResponseUs(harness) < 53_000, `${maxResponseUs(harness)}`);
  });

  test('what comes due past its deadline, because the thread was blocked, is not sent', () => {
    const harness = new EngineHarness(planOf({ phases: [openPhase(1000, 1_000_000)], timeoutUs: 200_000, keys: { count: 100_000 } }), () => ok(100));
    harness.run(1_000_000, 999_999);
    harness.runToEnd();
    assert.equal(harness.totals().planned, 1000);
    assert.equal(harness.totals().fail, 800);
    assert.equal(harness.sent.length, 200);
  });

  test('a full queue drops, and counts it', () => {
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(1000, 100_000)], maxInFlight: 5, maxQueued: 20, timeoutUs: 10_000_000, keys: { count: 100_000 } }),
      () => ok(300_000),
    );
    harness.runToEnd();
    assert.equal(harness.totals().dropped, 75);
    assert.equal(harness.totals().byReason.get(reasonIndex['queue-full']), 75);
    assert.equal(harness.totals().ok, 25);
  });

  test('the outage of one shard does not delay another', () => {
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(2000, 1_000_000)], maxInFlight: 10, maxQueued: 50, timeoutUs: 300_000, keys: { count: 5000 } }),
      (sent) => (sent.shard === 0 ? null : ok(1000)),
      { shardCount: 2 },
    );
    harness.runToEnd();
    const healthy = harness.intervals.flatMap((interval) => interval.shards).filter((shard) => shard.shard === 1);
    assert.equal(
      healthy.reduce((sum, shard) => sum + shard.notOk, 0),
      0,
    );
    assert.ok(healthy.reduce((sum, shard) => sum + shard.ok, 0) > 800);
    const spans = harness.events.filter((event) => event.type === 'span');
    assert.ok(spans.length > 0 && spans.every((span) => span.shard === 0));
  });

  test('one write in flight per key, in order', () => {
    const inFlight = new Map<string, number>();
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(2000, 500_000)], operations: { get: 0, set: 1, incr: 1, del: 1 }, timeoutUs: 60_000_000, keys: { count: 3 } }),
      (sent) => {
        const key = `${sent.op === 2}${sent.keyIndex}`;
        const freeAtUs = inFlight.get(key) ?? 0;
        assert.ok(sent.atUs >= freeAtUs, `two writes in flight on ${key}`);
        inFlight.set(key, sent.atUs + 2000);
        return ok(2000);
      },
    );
    harness.runToEnd();
    assert.equal(harness.totals().ok, 1000);
  });

  test('stop now ends the queued as dropped and the sent as unknown', () => {
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(1000, 10_000_000)], maxInFlight: 10, timeoutUs: 5_000_000, keys: { count: 100_000 } }),
      () => null,
    );
    harness.run(200_000);
    harness.engine.stop('now');
    const totals = harness.totals();
    assert.equal(harness.finishedCount, 1);
    assert.equal(totals.planned, 201);
    assert.equal(totals.byReason.get(reasonIndex.closed), 10);
    assert.equal(totals.byReason.get(reasonIndex.unsent), 191);
  });
});

describe('spans without a success', () => {
  test('an outage is one span from the last success to the next, with what was asked and failed', () => {
    const harness = new EngineHarness(planOf({ phases: [openPhase(100, 3_000_000)], operations: { get: 1, set: 0, incr: 0, del: 0 } }), (sent) =>
      sent.atUs > 1_000_000 && sent.atUs < 2_000_000 ? refused(1000) : ok(1000),
    );
    harness.runToEnd();
    const spans = harness.events.filter((event) => event.type === 'span');
    assert.equal(spans.length, 1);
    const span = spans[0];
    assert.ok(span !== undefined && Math.abs(span.startUs - 1_001_000) <= 2000, `${span?.startUs}`);
    assert.ok(Math.abs(span.endUs - 2_001_000) <= 12_000, `${span.endUs}`);
    assert.ok(Math.abs(span.asked - 100) <= 2 && Math.abs(span.notOk - 99) <= 2);
    assert.equal(span.overdue, false);
  });

  test('a span still open at the end is reported, an idle shard with nothing asked', () => {
    const harness = new EngineHarness(planOf({ phases: [openPhase(100, 500_000)], operations: { get: 1, set: 0, incr: 0, del: 0 } }), () => null, {
      shardCount: 2,
    });
    harness.runToEnd();
    const spans = harness.events.filter((event) => event.type === 'span');
    assert.deepEqual(
      spans.map((span) => [span.shard, span.startUs, span.asked > 0, span.overdue]),
      [
        [0, 0, true, true],
        [1, 0, true, true],
      ],
    );
    const idle = new EngineHarness(planOf({ phases: [closedPhase(0, 1, 300_000)], operations: { get: 1, set: 0, incr: 0, del: 0 } }), () => null);
    idle.runToEnd();
    assert.deepEqual(
      idle.events.map((event) => (event.type === 'span' ? [event.startUs, event.endUs, event.asked] : null)),
      [[0, 300_000, 0]],
    );
  });

  test('the oldest unanswered operation is overdue from 100 ms after its intended start', () => {
    const harness = new EngineHarness(
      planOf({ phases: [openPhase(100, 500_000)], operations: { get: 0, set: 1, incr: 0, del: 0 }, keys: { count: 100_000 } }),
      () => null,
    );
    harness.runToEnd();
    assert.equal(harness.intervals[1]?.shards[0]?.overdueSinceUs, 100_000);
    assert.equal(harness.intervals[0]?.shards.length, 0);
  });
});

describe('the engine says when it has to look again', () => {
  test('at the next operation of its own, whoever has those in between, and at the end of the phase', () => {
    const phase = openPhase(1000, 100_000);
    const plan = planOf({ phases: [phase, { ...closedPhase(0, 1, 50_000), index: 1, startUs: 100_000 }], keys: { count: 100_000 } });
    const dueTimes: number[][] = [];
    for (let worker = 0; worker < 3; worker++) {
      const harness = new EngineHarness(plan, () => ok(100), { worker, workers: 3 });
      assert.equal(harness.nextDueUs, 0, 'the start of the load');
      harness.engine.tick();
      const times = harness.sent.map((sent) => sent.atUs);
      while (harness.nextDueUs < 100_000) {
        const dueUs: number = harness.nextDueUs;
        assert.ok(dueUs > harness.nowUs, `${dueUs} is not ahead of ${harness.nowUs}`);
        const before = harness.sent.length;
        harness.nowUs = dueUs;
        harness.engine.tick();
        assert.equal(harness.sent.length, before + 1, `nothing was due at ${dueUs}`);
        times.push(dueUs);
      }
      assert.equal(harness.nextDueUs, 100_000, 'the next phase');
      harness.run(120_000);
      assert.equal(harness.nextDueUs, 150_000);
      harness.runToEnd();
      assert.equal(harness.nextDueUs, Number.POSITIVE_INFINITY);
      dueTimes.push(times);
    }
    assert.deepEqual(
      dueTimes.flat().sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i * 1000),
    );
  });

  test('a client that backs off is due again at the end of its pause', () => {
    const harness = new EngineHarness(planOf({ phases: [closedPhase(1, 1, 1_000_000)], keys: { count: 100_000 } }), () => refused(0));
    harness.run(3000);
    assert.deepEqual([harness.sent.map((sent) => sent.atUs), harness.nextDueUs], [[1000, 2000], 4000]);
  });
});

describe('closed loop', () => {
  test('what follows on answers is sent once these are told, or once the turn of the event loop has told all', async () => {
    for (const sendsByTurn of [false, true]) {
      const harness = new EngineHarness(planOf({ phases: [closedPhase(3, 1, 100_000)], keys: { count: 100_000 } }), () => null, { sendsByTurn });
      harness.run(1000);
      assert.equal(harness.sent.length, 3);
      const answered = (at: number): void =>
        harness.engine.completed(harness.sent[at]?.token ?? -1, OutcomeIndex.ok, NO_REASON, T0_US + 1000, T0_US + 1500);
      answered(0);
      await Promise.resolve();
      assert.equal(harness.sent.length, sendsByTurn ? 3 : 4);
      answered(1);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(harness.sent.length, 5);
    }
  });

  test('keeps clients × pipeline in flight and splits clients over workers without a remainder', () => {
    const plan = planOf({ phases: [closedPhase(7, 3, 100_000)], keys: { count: 100_000 } });
    let inFlight = 0;
    for (let worker = 0; worker < 4; worker++) {
      const harness = new EngineHarness(plan, () => ok(1000), { worker, workers: 4 });
      harness.run(1000);
      inFlight += harness.sent.length;
      harness.runToEnd();
      assert.equal(harness.totals().ok, harness.sent.length);
    }
    assert.equal(inFlight, 21);
  });

  test('a limit of operations is shared out to the last one, and told when all have begun', () => {
    const plan = planOf({ phases: [{ ...closedPhase(7, 3, 60_000_000), operationLimit: 1001 } as PhasePlan], keys: { count: 100_000 } });
    let planned = 0;
    for (let worker = 0; worker < 4; worker++) {
      const harness = new EngineHarness(plan, () => ok(1000), { worker, workers: 4 });
      harness.run(40_000);
      assert.equal(harness.exhaustedUs, null);
      harness.run(200_000);
      assert.ok(harness.exhaustedUs !== null && harness.exhaustedUs < 100_000, `${harness.exhaustedUs}`);
      harness.engine.stop('drain');
      harness.runToEnd();
      assert.equal(harness.totals().ok, harness.sent.length);
      planned += harness.totals().planned;
    }
    assert.equal(planned, 1001);
  });

  test('a worker without clients has nothing to begin', () => {
    const plan = planOf({ phases: [{ ...closedPhase(1, 1, 100_000), operationLimit: 10 } as PhasePlan], keys: { count: 100_000 } });
    const told = [0, 1, 2].map((worker) => {
      const harness = new EngineHarness(plan, () => ok(1000), { worker, workers: 3 });
      harness.run(50_000);
      assert.notEqual(harness.exhaustedUs, null);
      return harness.sent.length;
    });
    assert.deepEqual(told.sort(), [0, 0, 10]);
  });

  test('a worker writes only its own keys', () => {
    const plan = planOf({ phases: [closedPhase(4, 2, 200_000)], keys: { count: 101, distribution: { kind: 'zipfian', theta: 0.99 } } });
    for (let worker = 0; worker < 3; worker++) {
      const harness = new EngineHarness(plan, () => ok(500), { worker, workers: 3 });
      harness.runToEnd();
      assert.ok(harness.sent.length > 50);
      for (const sent of harness.sent) assert.ok(sent.op === 0 || sent.keyIndex % 3 === worker);
    }
  });

  test('a client whose operations are refused at once backs off instead of spinning', () => {
    const harness = new EngineHarness(planOf({ phases: [closedPhase(1, 1, 1_000_000)], keys: { count: 100_000 } }), () => refused(0));
    harness.runToEnd();
    assert.ok(harness.sent.length >= 20 && harness.sent.length < 40, `${harness.sent.length} attempts in a second`);
  });
});

describe('pairs of read and write', () => {
  const onlyPairs = { operations: { get: 1, set: 1, incr: 0, del: 0 }, readModifyWrite: 1 };

  test('the write goes to the key of its read, when that is answered, and by the key’s writer', () => {
    const plan = planOf({ phases: [openPhase(500, 400_000)], ...onlyPairs, keys: { count: 100_000 } });
    let reads = 0;
    for (let worker = 0; worker < 2; worker++) {
      const answeredAtUs = new Map<number, number>();
      const harness = new EngineHarness(
        plan,
        (sent) => {
          if (sent.op === 0) answeredAtUs.set(sent.keyIndex, sent.atUs + 3000);
          else {
            assert.equal(sent.op, 1);
            assert.equal(sent.atUs, answeredAtUs.get(sent.keyIndex), 'the moment its read was answered');
            assert.ok(answeredAtUs.delete(sent.keyIndex), 'one write per read');
          }
          assert.equal(sent.keyIndex % 2, worker);
          return ok(3000);
        },
        { worker, workers: 2 },
      );
      harness.runToEnd();
      const { planned, ok: answered } = harness.totals();
      const workersReads = harness.sent.filter((sent) => sent.op === 0).length;
      reads += workersReads;
      // Reads that are answered after the end of the load have no write any more.
      assert.ok(planned > workersReads * 1.9 && planned <= workersReads * 2 && answered === planned, `${planned} for ${workersReads} reads`);
      // Response time of a write counts from the answer of its read; the first tick is a millisecond late.
      assert.ok(maxResponseUs(harness) < 4500, `${maxResponseUs(harness)}`);
    }
    assert.equal(reads, 200);
  });

  test('a read that is not answered has no write', () => {
    const harness = new EngineHarness(planOf({ phases: [openPhase(500, 200_000)], ...onlyPairs }), () => refused(100));
    harness.runToEnd();
    assert.equal(harness.totals().planned, 100);
    assert.ok(harness.sent.every((sent) => sent.op === 0));
  });

  test('in closed loop a pair is one client’s: it goes on when the write is answered', () => {
    const harness = new EngineHarness(planOf({ phases: [closedPhase(3, 1, 200_000)], ...onlyPairs, keys: { count: 100_000 } }), () => ok(1000));
    harness.runToEnd();
    const sets = harness.sent.filter((sent) => sent.op === 1).length;
    assert.ok(sets > 100 && harness.sent.length - sets - sets <= 3, `${harness.sent.length} sent, ${sets} writes`);
    for (let atUs = 1000; atUs < 200_000; atUs += 1000)
      assert.ok(harness.sent.filter((sent) => sent.atUs === atUs).length <= 3, `more than three under way at ${atUs}`);
  });
});

test('a pause of the server is in the queue, not in the service time, when few are in flight', () => {
  const harness = new EngineHarness(
    planOf({ phases: [openPhase(2000, 10_000_000)], maxInFlight: 50, maxQueued: 100_000, timeoutUs: 5_000_000, keys: { count: 100_000 } }),
    (sent) => (sent.atUs >= 4_000_000 && sent.atUs < 5_000_000 ? ok(5_000_000 - sent.atUs + 300) : ok(300)),
  );
  harness.runToEnd();
  assert.equal(harness.totals().ok, 20_000);
  const longService = harness.intervals
    .flatMap((interval) => interval.rest)
    .filter((rest) => rest.what === 'service')
    .flatMap((rest) => [...rest.histogram.indices].map((index, at) => ({ us: hdrHighestValueUs(index), count: rest.histogram.counts[at] ?? 0 })))
    .filter(({ us }) => us > 10_000);
  assert.equal(
    longService.reduce((sum, { count }) => sum + count, 0),
    50,
  );
  assert.ok(maxResponseUs(harness) > 990_000);
});

test('operations that end ok are counted by the slot of their key, counters apart', () => {
  const plan = planOf({ phases: [openPhase(1000, 1_000_000)], operations: { get: 1, set: 1, incr: 1, del: 0 }, keys: { count: 3 } });
  const harness = new EngineHarness(plan, (sent) => (sent.op === 0 ? refused(100) : ok(100)), { shardCount: 3 });
  harness.runToEnd();
  const expected = new Uint32Array(16_384);
  for (const { op, keyIndex } of harness.sent) {
    const slot = harness.routing.slotOf(op === 2, keyIndex);
    if (op !== 0) expected[slot] = (expected[slot] ?? 0) + 1;
  }
  assert.deepEqual(harness.slotCounts, expected);
  assert.ok(harness.totals().ok > 500 && expected.filter((count) => count > 0).length === 6);
});
