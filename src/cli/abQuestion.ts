/** From the arguments of `kvbench ab` to what is played and what is asked. Called by ab.ts; starts nothing. */
import { KvbenchError } from '../base/errors.js';
import { parseDurationUs } from '../base/units.js';
import { faultRegistry } from '../chaos/registry.js';
import { type AbSide, abPlan, type GroupPlan } from '../plan/groupPlan.js';
import { makePlan } from '../plan/makePlan.js';
import { type GateRule, parseGateEntry, parseGateRule } from '../profile/gateRule.js';
import { loadProfile } from '../profile/loadProfile.js';
import type { AbRecord } from '../result/runsGroup.js';
import { MIN_PAIRS } from './abDecision.js';
import type { AbArguments } from './abOptions.js';

/** Runs of a pair take at least seconds: more pairs than these take days. */
const MAX_PAIRS = 200;
/** Asked when neither the command line nor the profile's gate asks anything. */
const usualRules = ['latency: p(99) +10%', 'throughput: -5%'];

export interface AbQuestion {
  plan: GroupPlan;
  ab: AbRecord;
}

/** Throws INVALID_ARGUMENT, INVALID_PROFILE. */
export function abQuestion(args: AbArguments, env: NodeJS.ProcessEnv): AbQuestion {
  if (args.base.length === 0 && args.candidate.length === 0) {
    const hint = 'For example: --candidate target.server=/path/to/redis-server, or --base load.client=ioredis --candidate load.client=wire';
    throw invalid('base and candidate are the same: neither --base nor --candidate was given', hint);
  }
  const { maxPairs } = args;
  if (!Number.isInteger(maxPairs) || maxPairs < MIN_PAIRS || maxPairs > MAX_PAIRS) {
    throw invalid(
      `--max-pairs ${maxPairs} is not a number of pairs`,
      `It can be ${MIN_PAIRS} (with fewer no test can tell anything) to ${MAX_PAIRS}.`,
    );
  }
  const base = sideOf(args, args.base, env);
  const plan = abPlan(base, sideOf(args, args.candidate, env), maxPairs);
  const ab: AbRecord = {
    rules: rulesOf(args, base).map((rule) => rule.text),
    maxPairs,
    budgetMs: budgetMs(args.budget),
    confidence: share('confidence', args.confidence, 50, 99.9),
    sameWithin: share('same-within', args.sameWithin, 0, 100),
    inconclusiveIs: args.inconclusive,
    looks: [],
    endedBy: null,
  };
  return { plan, ab };
}

function sideOf(args: AbArguments, own: readonly string[], env: NodeJS.ProcessEnv): AbSide {
  const seed = args.seed === undefined ? [] : [`seed=${args.seed}`];
  const profile = loadProfile(args.profile, { faults: faultRegistry, sets: [...args.set, ...seed, ...own], env });
  if (profile.variants.length > 0) {
    const hint = `Compare them with kvbench run ${args.profile} --repeat 5, then kvbench gate GROUP#a GROUP#b; or give ab a profile without variants.`;
    throw invalid(`${profile.name} has variants, and ab makes its own two`, hint);
  }
  if (makePlan(profile).capacity !== undefined)
    throw invalid(`${profile.name} looks for a capacity; ab plays runs`, 'Give it a profile with phases.');
  const changes = own.map((text) => ({ path: text.slice(0, text.indexOf('=')), value: text.slice(text.indexOf('=') + 1) }));
  return { profile, changes };
}

function rulesOf({ rule }: AbArguments, { profile }: AbSide): GateRule[] {
  const own = (makePlan(profile).gate ?? []).map(({ metric, expression }) => parseGateEntry(metric, expression));
  const asked = rule !== undefined ? rule.map(parseGateRule) : own.length > 0 ? own : usualRules.map(parseGateRule);
  const problems = asked.flatMap((parsed) => ('problem' in parsed ? [parsed.problem] : []));
  if (problems.length > 0 || asked.length === 0)
    throw invalid(problems.join('\n') || '--rule is empty', 'docs/comparing.md lists metrics and figures.');
  return asked.flatMap((parsed) => ('problem' in parsed ? [] : [parsed]));
}

function budgetMs(text: string | undefined): number | null {
  if (text === undefined) return null;
  const us = parseDurationUs(text);
  if (us !== undefined && us > 0) return us / 1000;
  throw invalid(`--budget ${JSON.stringify(text)} is not a duration`, 'Write it like 10m or 90s.');
}

function share(name: string, percent: number, lowest: number, highest: number): number {
  if (percent >= lowest && percent <= highest) return percent / 100;
  throw invalid(`--${name} ${percent} is not between ${lowest} and ${highest} per cent`);
}

function invalid(message: string, hint?: string): KvbenchError {
  return new KvbenchError('INVALID_ARGUMENT', message, hint);
}
