import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from '../stats/summarize.js';
import { threshold } from '../stats/syntheticPlan.test.support.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { escapeXml, renderJUnit } from './junit.js';

const phases = [{ name: 'steady', durationUs: 1_000_000 }];

test('each threshold is a test case, with what was observed', () => {
  const data = syntheticRun({
    phases,
    thresholds: [threshold('latency{op:get}', 99, '<', 50_000), threshold('latency', 'max', '<', 10), threshold('latency{op:incr}', 99, '<', 1)],
  });
  const xml = renderJUnit(summarize(data), data.run);
  assert.match(xml, /<testsuites name="kvbench" tests="3" failures="2" errors="0"/);
  assert.match(xml, /name="latency\{op:get\}: p\(99\)&lt;50000" time="0">\s*<system-out>observed 1\.\d+ms<\/system-out>/);
  assert.match(xml, /<failure message="max&lt;10 does not hold: observed 1\.\d+ms" type="threshold"\/>/);
  assert.match(xml, /<failure message="p\(99\)&lt;1 does not hold: observed nothing; no operations"/);
  assert.equal(xml.match(/<testcase/g)?.length, xml.match(/<\/testcase>/g)?.length);
});

test('a run that was cut off is never green', () => {
  const data = syntheticRun({ phases, killedAtUs: 500_000 });
  const xml = renderJUnit(summarize(data), data.run);
  assert.match(xml, /tests="1" failures="0" errors="1"/);
  assert.match(xml, /<error message="the run was interrupted">/);
});

test('text is escaped, and what XML forbids is replaced', () => {
  assert.equal(escapeXml(`<a b="c" d='e'>&\u0000\u001b\n`), '&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;\ufffd\ufffd\n');
});
