/** Stages without sockets: what depends on draws alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../base/random.js';
import { packetLoss } from './packetLoss.js';
import { cutPoints } from './slicer.js';

test('cuts go from start to end, upwards, and no piece exceeds average plus variation', () => {
  const sizes = [fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 0, max: 3_000 }), fc.nat()] as const;
  fc.assert(
    fc.property(...sizes, (lengthBytes, averageBytes, variationBytes, seed) => {
      const random = new RandomStream(seed, 1_000);
      let index = 0;
      const cuts = cutPoints(lengthBytes, averageBytes, variationBytes, () => random.unit(index++));
      assert.deepEqual([cuts[0], cuts.at(-1)], [0, lengthBytes]);
      for (let i = 1; i < cuts.length; i++) {
        const pieceBytes = (cuts[i] ?? 0) - (cuts[i - 1] ?? 0);
        assert.ok(pieceBytes > 0 && pieceBytes <= Math.max(1, averageBytes + variationBytes), `a piece of ${pieceBytes}`);
      }
    }),
  );
});

test('an average below 1 does not cut', () => {
  assert.deepEqual(
    cutPoints(100, 0, 0, () => 0.5),
    [0, 100],
  );
});

/** Which of `count` chunks a packet_loss stage passes. */
function passed(count: number, attributes: Record<string, number>): boolean[] {
  const random = new RandomStream(1, 1_000);
  let index = 0;
  const context = { attributes: () => attributes, draw: () => random.unit(index++), released: () => {}, addedBeforeConnection: true };
  const stage = packetLoss.makeStage?.(context);
  assert.ok(stage);
  return Array.from({ length: count }, () => {
    let isPassed = false;
    stage.next = { receive: () => (isPassed = true), receiveEnd: () => {} };
    stage.receive({ data: Buffer.from('x'), arrivedUs: 0 });
    return isPassed;
  });
}

test('packet_loss drops its share', () => {
  const count = passed(10_000, { loss_rate: 0.2, correlation: 0 }).filter((isPassed) => !isPassed).length;
  assert.ok(Math.abs(count - 2_000) < 200, `${count} of 10000 dropped`);
});

test('correlation makes losses come in bursts', () => {
  const chunks = passed(10_000, { loss_rate: 0.1, correlation: 0.6 });
  const afterLoss = chunks.filter((_, i) => i > 0 && chunks[i - 1] === false);
  const share = afterLoss.filter((isPassed) => !isPassed).length / afterLoss.length;
  assert.ok(Math.abs(share - 0.7) < 0.06, `${share} dropped after a loss`);
  assert.deepEqual(new Set(passed(100, { loss_rate: 0.1, correlation: 1 }).slice(50)), new Set([false]));
});
