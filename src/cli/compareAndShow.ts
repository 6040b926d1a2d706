/** What `diff` and `gate` have in common: sides → comparison → gate → terminal and files → exit code. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { type CompareOptions, compareSides, defaultCompareOptions } from '../compare/compare.js';
import type { CompareLevel, Comparison } from '../compare/comparison.js';
import { judgeGate } from '../compare/gate.js';
import { renderComparisonJUnit } from '../compare/junitComparison.js';
import type { LoadedSide } from '../compare/loadSide.js';
import { renderMarkdown } from '../compare/markdown.js';
import { findNoiseFloor } from '../compare/noiseFloor.js';
import { renderTerminalComparison } from '../compare/terminalComparison.js';
import { writeComparisonReport } from '../report/writeComparisonReport.js';
import { sidesOf } from './comparedSides.js';
import type { GateArguments } from './compareOptions.js';
import { gateRulesOf } from './gateRules.js';
import type { Terminal } from './terminal.js';

export async function compareAndShow(args: GateArguments, wanted: { gate: boolean; level: CompareLevel }, terminal: Terminal): Promise<ExitCode> {
  const sides = sidesOf(args);
  const rules = wanted.gate ? gateRulesOf(args, sides.candidate) : [];
  const { comparison: compared, pair } = compareSides(sides.base, sides.candidate, optionsOf(args, sides, wanted.level));
  const comparison = wanted.gate ? judgeGate(compared, pair, { rules, inconclusiveIs: args.inconclusive }) : compared;
  terminal.data(renderTerminalComparison(comparison, { color: terminal.color, width: terminal.width, all: args.all }));
  writeFiles(comparison, args);
  await writePages(comparison, sides, args, terminal);
  return (comparison.gate?.exitCode ?? ExitCode.passed) as ExitCode;
}

function optionsOf(args: GateArguments, { base, candidate }: { base: LoadedSide; candidate: LoadedSide }, usual: CompareLevel): CompareOptions {
  const sameGroup = base.group !== null && base.group === candidate.group;
  return {
    ...defaultCompareOptions,
    confidence: percentage('confidence', args.confidence, 50, 99.9),
    sameWithin: percentage('same-within', args.sameWithin, 0, 100),
    // What differs between variants of a group is the question.
    level: args.compare ?? (sameGroup ? 'any' : usual),
    noiseFloor: findNoiseFloor([base, candidate], args.dir),
  };
}

function percentage(name: string, value: number, lowest: number, highest: number): number {
  if (value >= lowest && value <= highest) return value / 100;
  throw new KvbenchError('INVALID_ARGUMENT', `--${name} ${value} is not between ${lowest} and ${highest} per cent`);
}

function writeFiles(comparison: Comparison, { markdown, json, junit }: Pick<GateArguments, 'markdown' | 'json' | 'junit'>): void {
  if (markdown !== undefined) write(markdown, renderMarkdown(comparison), isStepSummary(markdown));
  if (json !== undefined) write(json, `${JSON.stringify(comparison, null, 2)}\n`, false);
  if (junit !== undefined) write(junit, renderComparisonJUnit(comparison), false);
}

/** An option without a value is the usual file name. Where none is asked for, a person is told that there is more to see. */
async function writePages(
  comparison: Comparison,
  sides: { base: LoadedSide; candidate: LoadedSide },
  { html, png }: Pick<GateArguments, 'html' | 'png'>,
  terminal: Terminal,
): Promise<void> {
  const wanted = { html: html === '' ? 'comparison.html' : html, png: png === '' ? 'comparison.png' : png };
  const files = await writeComparisonReport(comparison, sides, wanted);
  for (const file of files) terminal.data(`${file === wanted.html ? 'Page' : 'Picture'}: ${file}`);
  if (files.length === 0 && terminal.live) terminal.talk('Both sides over time, with percentiles: add --html (comparison.html) or --png.');
}

/** Other steps write into it too. */
function isStepSummary(file: string): boolean {
  const summary = process.env.GITHUB_STEP_SUMMARY;
  return summary !== undefined && summary !== '' && resolve(summary) === resolve(file);
}

function write(file: string, text: string, appends: boolean): void {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    if (appends) appendFileSync(file, text);
    else writeFileSync(file, text);
  } catch (error) {
    throw new KvbenchError('RESULT_NOT_WRITABLE', `${file} cannot be written: ${messageOf(error)}`, 'Name another file.', error);
  }
}
