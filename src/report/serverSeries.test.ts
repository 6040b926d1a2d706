import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverEvents } from './serverEvents.test.support.js';
import { serverSeries, serverValueAt } from './serverSeries.js';

test('every second of a server is a point; what was before t0 or after the end is none', () => {
  const series = serverSeries([...serverEvents('n1', -500, 4500), ...serverEvents('n2', -500, 9500)], 6000);
  assert.equal(series?.stepMs, 1000);
  assert.deepEqual(
    series?.nodes.map(({ node, tMs }) => [node, tMs]),
    [
      ['n1', [500, 1500, 2500, 3500, 4500]],
      ['n2', [500, 1500, 2500, 3500, 4500, 5500]],
    ],
  );
  const n1 = series?.nodes[0];
  assert.deepEqual(n1?.cpu, [0.5, 0.5, 0.5, 0.5, 0.5]);
  assert.deepEqual([n1?.ops.slice(0, 3), n1?.memory[0]], [[null, null, 1000], 2_000_000], 'no operations that filled the store');
});

test('a value is read from the nearest second, and from none while a server was silent', () => {
  const series = serverSeries([...serverEvents('n1', 500, 2500), ...serverEvents('n1', 7500, 9500)], 10_000);
  const [n1] = series?.nodes ?? [];
  assert.ok(series && n1);
  assert.equal(serverValueAt(series, n1, 'ops', 2600), 1000);
  assert.equal(serverValueAt(series, n1, 'ops', 5000), null);
  assert.equal(serverValueAt(series, n1, 'cpu', 500), null, 'the first sample has no earlier one');
});

test('a long run has no more than 600 points per node; a run without samples has none', () => {
  const series = serverSeries(serverEvents('n1', 500, 3_599_500), 3_600_000);
  assert.equal(series?.stepMs, 10_000);
  assert.equal(series?.nodes[0]?.tMs.length, 360);
  assert.equal(series?.nodes[0]?.cpu[9], 0.5);
  assert.equal(serverSeries([], 1000), null);
});
