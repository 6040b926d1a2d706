/**
 * A look at an A/B question: base and candidate as far as they were played, compared and judged by the gate at the level that this look has.
 * Called by ab.ts after each pair and by writeGroupResults.ts from the folder alone. Reads folders only.
 */
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { compareSides, defaultCompareOptions } from '../compare/compare.js';
import type { Comparison } from '../compare/comparison.js';
import { judgeGate } from '../compare/gate.js';
import { type LoadedSide, loadSide } from '../compare/loadSide.js';
import { smallestP } from '../compare/rankTest.js';
import { changeText, intervalText, valueText } from '../compare/rowText.js';
import { lookLevels, spentAlpha } from '../compare/sequential.js';
import { type GateRule, parseGateRule } from '../profile/gateRule.js';
import type { AbDecision, AbRecord, RunsGroupRecord } from '../result/runsGroup.js';

/** With fewer of each side no test can tell anything. */
export const MIN_PAIRS = 4;

/** The first look that can decide: the smallest p-value that so many runs can have is within what may be spent by then. */
export function firstLook({ maxPairs, confidence }: Pick<AbRecord, 'maxPairs' | 'confidence'>): number {
  const alpha = 1 - confidence;
  for (let pairs = MIN_PAIRS; pairs < maxPairs; pairs++) if (smallestP(pairs, pairs) <= spentAlpha(alpha, pairs / maxPairs)) return pairs;
  return maxPairs;
}

/** The level of a look after so many pairs, when every pair since the first look was looked at. */
export function levelAfter(pairs: number, settings: Pick<AbRecord, 'maxPairs' | 'confidence'>): number {
  const looks: number[] = [];
  for (let at = Math.min(firstLook(settings), pairs); at <= pairs; at++) looks.push(at / settings.maxPairs);
  return lookLevels(looks, 1 - settings.confidence).at(-1) as number;
}

export interface Look {
  comparison: Comparison;
  decision: AbDecision;
  /** What was compared. */
  sides: { base: LoadedSide; candidate: LoadedSide };
}

/** @param pairs ≥ 1 that are whole */
export function lookAt(dir: string, group: RunsGroupRecord, pairs: number): Look {
  const { ab } = group;
  assert(ab !== undefined, 'a look at a group that asks nothing');
  const level = levelAfter(pairs, ab);
  const [base, candidate] = (['base', 'candidate'] as const).map((variant) => sideOf(dir, group, variant, pairs)) as [LoadedSide, LoadedSide];
  // What differs between the sides is the question.
  const options = { ...defaultCompareOptions, level: 'any', confidence: 1 - level, sameWithin: ab.sameWithin, noiseFloor: null } as const;
  const { comparison: compared, pair } = compareSides(base, candidate, options);
  const comparison = judgeGate(compared, pair, { rules: ab.rules.map(ruleOf), inconclusiveIs: ab.inconclusiveIs });
  const { gate } = comparison;
  assert(gate !== null, 'a gate that was judged');
  const rules = gate.rules.map(({ rule, row, outcome, reason }) => ({
    rule,
    outcome,
    base: row === null ? '–' : valueText(row.base.value, row.unit),
    candidate: row === null ? '–' : valueText(row.candidate.value, row.unit),
    change: row === null ? '–' : changeText(row),
    interval: row === null ? '–' : intervalText(row),
    reason,
  }));
  const sentence = `${comparison.sentence}, after ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`;
  return {
    comparison: { ...comparison, sentence },
    sides: { base, candidate },
    decision: {
      outcome: gate.outcome,
      exitCode: gate.exitCode,
      sentence,
      pairs,
      level,
      rules,
      warnings: comparison.warnings.filter(({ kind }) => kind !== 'not comparable').map(({ text }) => text),
    },
  };
}

/** Pairs of which both runs came to their end, by the verdicts of the runs that began. */
export function wholePairs(group: RunsGroupRecord, ended: (run: string) => boolean): number {
  for (let pair = 1; ; pair++) {
    const runs = group.runs.filter((run) => run.round === pair);
    if (runs.length < 2 || !runs.every((run) => ended(run.run))) return pair - 1;
  }
}

function sideOf(dir: string, group: RunsGroupRecord, variant: string, pairs: number): LoadedSide {
  const runs = group.runs.filter((run) => run.variant === variant && run.round <= pairs).map((run) => join(dir, run.run));
  return { ...loadSide(runs, dir), label: variant };
}

/** It was checked before the first run. */
function ruleOf(text: string): GateRule {
  const rule = parseGateRule(text);
  assert(!('problem' in rule), `a rule that was checked: ${text}`);
  return rule;
}
