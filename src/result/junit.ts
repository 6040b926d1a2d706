/** `junit.xml`: one test case per threshold, for CI systems. Pure; written by the last step of `run` and `report`. */
import { formatUs } from '../base/units.js';
import type { RunRecord } from './records.js';
import type { Summary, ThresholdResult } from './summary.js';

const timeMetrics = new Set(['latency', 'service', 'queue', 'dispatch_lag', 'gap', 'rto']);

/** The file's text. A run that was aborted or interrupted has an error case of its own, so that it never looks green. */
export function renderJUnit(summary: Summary, run: RunRecord): string {
  const cases = summary.thresholds.map((threshold) => testCase(threshold, run.name));
  const cut = summary.verdict === 'aborted' || summary.verdict === 'interrupted';
  if (cut) {
    cases.push(
      `    <testcase classname="${escapeXml(`kvbench.${run.name}`)}" name="the run ends as planned" time="0">\n` +
        `      <error message="${escapeXml(`the run was ${summary.verdict}`)}">${escapeXml(summary.sentence)}</error>\n    </testcase>`,
    );
  }
  const failures = summary.thresholds.filter((threshold) => !threshold.ok).length;
  const seconds = (summary.durationMs / 1000).toFixed(3);
  const counts = `tests="${cases.length}" failures="${failures}" errors="${cut ? 1 : 0}" skipped="0" time="${seconds}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kvbench" ${counts}>`,
    `  <testsuite name="${escapeXml(run.name)}" ${counts} timestamp="${escapeXml(run.startedAt)}">`,
    '    <properties>',
    ...Object.entries({ seed: summary.seed, verdict: summary.verdict, run: run.id, kvbench: run.kvbenchVersion }).map(
      ([name, value]) => `      <property name="${name}" value="${escapeXml(String(value))}"/>`,
    ),
    '    </properties>',
    ...cases,
    `    <system-out>${escapeXml(summary.sentence)}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(threshold: ThresholdResult, runName: string): string {
  const open = `    <testcase classname="${escapeXml(`kvbench.${runName}`)}" name="${escapeXml(`${threshold.metric}: ${threshold.expression}`)}" time="0"`;
  const observed = `observed ${observedText(threshold)}${threshold.note === undefined ? '' : `; ${threshold.note}`}`;
  if (threshold.ok) return `${open}>\n      <system-out>${escapeXml(observed)}</system-out>\n    </testcase>`;
  return `${open}>\n      <failure message="${escapeXml(`${threshold.expression} does not hold: ${observed}`)}" type="threshold"/>\n    </testcase>`;
}

function observedText({ metric, expression, observed }: ThresholdResult): string {
  if (observed === null) return 'nothing';
  const name = /^\w+/.exec(metric)?.[0] ?? '';
  const isTime = timeMetrics.has(name) && !/^\s*(count|rate)\b/.test(expression);
  return isTime ? formatUs(observed) : String(Math.round(observed * 1e6) / 1e6);
}

/** Text for XML 1.0: the five entities, and no character that XML does not allow. */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(/'/g, '&apos;')
  );
}
