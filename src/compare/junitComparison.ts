/** A gate as JUnit: one case per rule; an inconclusive one is skipped, or fails where the gate was told so. Pure. */
import { escapeXml } from '../result/junit.js';
import type { Comparison, RuleResult } from './comparison.js';
import { changeText, intervalText, valueText } from './rowText.js';
import { moreRunsText } from './ruleText.js';

/** The file's text. Without a gate it has no case, only the sentence. */
export function renderComparisonJUnit(comparison: Comparison): string {
  const { gate, candidate, base } = comparison;
  const rules = gate?.rules ?? [];
  const failing = (rule: RuleResult): boolean => rule.outcome === 'fail' || (rule.outcome === 'inconclusive' && gate?.inconclusiveIs === 'fail');
  const failures = rules.filter(failing).length;
  const skipped = rules.filter((rule) => rule.outcome === 'inconclusive' && !failing(rule)).length;
  const name = escapeXml(`${candidate.label} against ${base.label}`);
  const counts = `tests="${rules.length}" failures="${failures}" errors="0" skipped="${skipped}" time="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kvbench gate" ${counts}>`,
    `  <testsuite name="${name}" ${counts}>`,
    ...rules.map((rule) => testCase(rule, failing(rule), `kvbench.gate.${candidate.profile}`)),
    `    <system-out>${escapeXml([comparison.sentence, ...comparison.warnings.map(({ text }) => text)].join('\n'))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(result: RuleResult, fails: boolean, classname: string): string {
  const open = `    <testcase classname="${escapeXml(classname)}" name="${escapeXml(result.rule)}" time="0"`;
  const more = moreRunsText(result.moreRuns);
  const reason = escapeXml(more === null ? result.reason : `${result.reason}; ${more}`);
  if (fails)
    return `${open}>\n      <failure message="${reason}" type="${result.outcome}">${escapeXml(valuesText(result))}</failure>\n    </testcase>`;
  if (result.outcome === 'inconclusive') return `${open}>\n      <skipped message="${reason}"/>\n    </testcase>`;
  return `${open}>\n      <system-out>${reason}</system-out>\n    </testcase>`;
}

/** Some pipelines show only the text of a failure. */
function valuesText({ row }: RuleResult): string {
  if (row === null) return 'neither side has a value';
  return `base ${valueText(row.base.value, row.unit)}, candidate ${valueText(row.candidate.value, row.unit)}, change ${changeText(row)} ${intervalText(row)}`;
}
