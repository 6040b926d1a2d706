import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { PacingBoard } from './pacingBoard.js';
import { startPacingHelper } from './pacingHelper.js';
import { until } from './redisServer.test.support.js';
import { makeTicker, SpinTicker, type Ticker } from './ticker.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function threadTickers(workers: number): Ticker[] {
  const helper = startPacingHelper(workers, (error) => assert.fail(error));
  cleanUps.push(() => helper.stop());
  return Array.from({ length: workers }, (_, worker) => {
    const ticker = makeTicker('thread', worker, helper.memory);
    cleanUps.push(() => ticker.stop());
    return ticker;
  });
}

test('the pacing thread alone ticks every worker at its due times, never before', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ticks = [0, 0];
  for (const [worker, ticker] of threadTickers(2).entries()) {
    let dueUs = monotonicUs() + 1000;
    ticker.start(() => {
      const nowUs = monotonicUs();
      assert.ok(nowUs >= dueUs, `${dueUs - nowUs} µs early`);
      ticks[worker] = (ticks[worker] ?? 0) + 1;
      dueUs = nowUs + 100 * (1 + worker);
      ticker.expect(dueUs);
    });
    ticker.expect(dueUs);
  }
  await until('both have ticked often', () => ticks.every((count) => count >= 100));
});

test('it is woken by a due time before the one it sleeps for, and serves several workers', async () => {
  const board = PacingBoard.forWorkers(2);
  const helper = startPacingHelper(2, (error) => assert.fail(error));
  cleanUps.push(() => helper.stop());
  const shared = new PacingBoard(helper.memory);
  assert.equal(shared.workers, board.workers);
  const rings = (worker: number): number => shared.bell(worker).rings;
  shared.arm(0, monotonicUs() + 600_000_000);
  shared.arm(1, monotonicUs() + 5_000);
  await until('worker 1 is rung', () => rings(1) === 1);
  assert.equal(rings(0), 0, 'worker 0 is not due for ten minutes');
  shared.arm(0, monotonicUs() - 5);
  await until('worker 0 is rung at once', () => rings(0) === 1);
  assert.equal(rings(1), 1, 'it waits for nothing');
});

test('the pacing thread ends when it is told to, also twice', async () => {
  const helper = startPacingHelper(1, (error) => assert.fail(error));
  await Promise.all([helper.stop(), helper.stop()]);
});

test('distances are right where 32 bits of microseconds overflow', () => {
  const board = PacingBoard.forWorkers(1);
  for (const nowUs of [2 ** 31 - 10, 2 ** 32 - 10, 5 * 2 ** 32 - 10, 2 ** 50 - 10]) {
    board.allowFrom(0, nowUs);
    board.arm(0, nowUs + 50);
    assert.equal(board.dueInUs(0, nowUs), 50);
    assert.equal(board.dueInUs(0, nowUs + 70), -20);
    board.ring(0);
    assert.equal(board.dueInUs(0, nowUs), null);
  }
});

test('no bell is asked for before the thread would ring it', () => {
  const board = PacingBoard.forWorkers(1);
  board.allowFrom(0, 1250);
  board.beginScan();
  board.arm(0, 1100);
  assert.equal(board.dueInUs(0, 1000), 250);
  board.arm(0, 1300);
  assert.equal(board.dueInUs(0, 1000), 300);
});

test('whatever is armed while the thread looks at its workers ends its next sleep', () => {
  const board = PacingBoard.forWorkers(1);
  const changes = board.beginScan();
  assert.equal(board.dueInUs(0, 0), null);
  board.arm(0, 1000);
  const startUs = monotonicUs();
  board.sleep(changes, 0, 60_000_000);
  assert.ok(monotonicUs() - startUs < 30_000_000, 'it did not sleep');
});

test('a spinning ticker ticks in every turn and knows how busy it was', async () => {
  const ticker = new SpinTicker();
  cleanUps.push(() => ticker.stop());
  let ticks = 0;
  let workUs = 0;
  ticker.start(() => {
    ticks++;
    const untilUs = monotonicUs() + workUs;
    while (monotonicUs() < untilUs);
  });
  await until('it ticks', () => ticks > 1000);
  const idle = ticker.takeBusyShare();
  workUs = 100;
  const from = ticks;
  await until('it ticks on', () => ticks > from + 1000);
  const busy = ticker.takeBusyShare();
  assert.ok(busy > 0.7 && idle < busy, `${idle} idle, ${busy} busy`);
});
