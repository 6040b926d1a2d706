/** A group of runs before it begins: its variants, their order, and the timeline of each. Called by run.ts for `--dry-run`. Pure. */
import type { GroupPlan } from '../plan/groupPlan.js';
import { loadEndUs } from '../plan/plan.js';
import { renderTimeline } from '../plan/timeline.js';
import { durationText } from '../profile/durationText.js';

/** Ends with a line break. */
export function renderGroupOutline(group: GroupPlan): string {
  const { variants, runs, repeat, name, description, seed } = group;
  const loadUs = runs.reduce((sum, run) => sum + loadEndUs(variants.find((variant) => variant.name === run.variant)?.plan ?? never(run.variant)), 0);
  const rounds = Array.from({ length: repeat }, (_, i) => runs.filter((run) => run.round === i + 1).map((run) => run.variant));
  const head = [
    `${name}: ${group.kind === 'repeat' ? '' : `${variants.length} variants × `}${repeat} ${repeat === 1 ? 'round' : 'rounds'}, seed ${seed}`,
    ...(description === '' ? [] : [description]),
    '',
    ...(group.kind === 'repeat' ? [] : rounds.map((round, i) => `round ${String(i + 1).padEnd(3)} ${round.join(' → ')}`)),
    `duration  ${durationText(loadUs)} of load in ${runs.length} runs, one after the other, each on a target brought up afresh; set-up, preload and clean-up come on top`,
  ];
  const timelines = variants.map((variant) => {
    const changes = variant.changes.map((change) => `  ${change.path} = ${change.value}`);
    const title = group.kind === 'repeat' ? [] : [`variant ${variant.name}${variant.description === '' ? '' : `: ${variant.description}`}`];
    return [...title, ...changes, renderTimeline(variant.plan)].join('\n');
  });
  return `${head.join('\n')}\n\n${timelines.join('\n')}`;
}

function never(variant: string): never {
  throw new Error(`bug in kvbench: a run of ${variant}, which is no variant of its group`);
}
