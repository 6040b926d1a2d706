import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { IntervalRecord } from '../result/records.js';
import { valueProblem } from '../workload/checkedValues.js';
import { closedPhase, planOf } from './engine.test.support.js';
import { LoadRunner } from './loadRunner.js';
import { endpointsOf, RedisServer } from './redisServer.test.support.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const KEYS = 12;

for (const client of ['ioredis', 'wire'] as const) {
  describe(`large values, ${client}`, () => {
    test('values of megabytes arrive whole, in the preload and in the load, and can be told by their checksums', async () => {
      const server = await RedisServer.start();
      cleanUps.push(() => server.end());
      const plan = planOf({ phases: [closedPhase(4, 1, 400_000)], operations: { get: 1, set: 1, incr: 0, del: 0 }, keys: { count: KEYS } });
      plan.load.client = client;
      plan.load.threads = 2;
      plan.load.timeoutUs = 10_000_000;
      plan.load.workload.values = { kind: 'uniform', minBytes: 1_000_000, maxBytes: 2_000_000 };
      plan.load.workload.checksum = true;
      plan.load.workload.preload = true;
      const intervals: IntervalRecord[] = [];
      const runner = new LoadRunner(plan, endpointsOf('standalone', server.port), {
        interval: (record) => intervals.push(record),
        event: () => {},
      });
      cleanUps.push(() => runner.terminate());
      await runner.connect();
      await runner.preload(() => {});
      const reader = new Redis(server.port, { lazyConnect: true });
      cleanUps.push(() => reader.disconnect());
      await reader.connect();
      const problems = async (): Promise<string[]> => {
        const found: string[] = [];
        for (let key = 0; key < KEYS; key++) {
          const value = await reader.getBuffer(`k:${key}`);
          const problem = value === null ? 'missing' : value.length < 1_000_000 ? `${value.length} bytes` : valueProblem(value, key);
          if (problem !== null) found.push(`key ${key}: ${problem}`);
        }
        return found;
      };
      assert.deepEqual(await problems(), [], 'after the preload');
      runner.start(monotonicUs() + 50_000);
      await runner.finished;
      const cells = intervals.flatMap((interval) => interval.cells.flatMap((cell) => Object.values(cell.ops)));
      assert.ok(cells.reduce((sum, cell) => sum + cell.ok, 0) > 10);
      assert.equal(
        cells.reduce((sum, cell) => sum + cell.fail + cell.info + cell.dropped, 0),
        0,
      );
      assert.deepEqual(await problems(), [], 'after the load');
    });
  });
}
