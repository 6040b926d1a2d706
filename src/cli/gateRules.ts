/** The rules that a gate is to judge: from `--rule`, from a file, or from the candidate's own profile. Reads files only. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { LoadedSide } from '../compare/loadSide.js';
import { type GateRule, parseGateEntry, parseGateRule } from '../profile/gateRule.js';

/** At least one. Throws INVALID_ARGUMENT with all that is wrong, FILE_NOT_READABLE. */
export function gateRulesOf({ rule = [], rules }: { rule?: string[] | undefined; rules?: string | undefined }, candidate: LoadedSide): GateRule[] {
  const written = [
    ...rule.map((text) => ({ parsed: parseGateRule(text), from: '--rule' })),
    ...(rules === undefined ? [] : rulesOfFile(rules).map(([metric, expression]) => ({ parsed: parseGateEntry(metric, expression), from: rules }))),
  ];
  const named = rule.length > 0 || rules !== undefined;
  const own = named ? [] : (candidate.runs[0]?.data.run.plan.gate ?? []);
  const all = [...written, ...own.map(({ metric, expression }) => ({ parsed: parseGateEntry(metric, expression), from: 'the gate of the profile' }))];
  const problems = all.flatMap(({ parsed, from }) => ('problem' in parsed ? [`${from}: ${parsed.problem}`] : []));
  if (problems.length > 0)
    throw new KvbenchError('INVALID_ARGUMENT', problems.join('\n'), 'docs/comparing.md lists the metrics and figures of rules.');
  const found = all.flatMap(({ parsed }) => ('problem' in parsed ? [] : [parsed]));
  if (found.length > 0) return unique(found);
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    named ? `${rules ?? '--rule'} holds no rule` : `the profile of ${candidate.label} has no gate, and no rule was given`,
    'For example: --rule "latency: p(99) +10%" --rule "throughput: -5%"',
  );
}

function unique(rules: readonly GateRule[]): GateRule[] {
  return [...new Map(rules.map((rule) => [rule.text, rule])).values()];
}

/** Metric and expression of each rule: the file is a map of them, or has it under `gate`. */
function rulesOfFile(file: string): [metric: string, expression: string][] {
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new KvbenchError(
      'FILE_NOT_READABLE',
      `${file} cannot be read: ${messageOf(error)}`,
      'Give a YAML file with a map of metric → tolerance.',
      error,
    );
  }
  const gate = isMap(value) && 'gate' in value ? value.gate : value;
  if (!isMap(gate))
    throw new KvbenchError('INVALID_ARGUMENT', `${file} holds no map of rules`, 'Write it like the gate of a profile: throughput: "-5%"');
  return Object.entries(gate).flatMap(([metric, expressions]) =>
    (Array.isArray(expressions) ? expressions : [expressions]).map((expression): [string, string] => [metric, String(expression)]),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
