/**
 * What to change when the load generator was the bottleneck, for this very plan and machine: the most promising first. Called by
 * generatorHealth.ts; pure. Every remedy is one that the run did not use yet.
 */
import type { LoadPlan } from '../plan/plan.js';

export interface GeneratorSetting {
  load: Pick<LoadPlan, 'client' | 'threads' | 'pacing' | 'phases'>;
  /** Of the machine that made the load. */
  cpus: number;
  /** Whether the servers ran on it too. */
  sharesMachine: boolean;
}

/** At least one. */
export function saturationRemedies({ load, cpus, sharesMachine }: GeneratorSetting): string[] {
  const isOpen = load.phases.some(({ kind }) => kind === 'open');
  const remedies: string[] = [];
  if (load.client === 'ioredis') remedies.push('the lean client, which takes a fraction of the CPU: --set load.client=wire');
  if (load.threads < cpus) {
    const more = Math.min(cpus, load.threads * 2);
    remedies.push(`more threads, ${more} instead of ${load.threads} on ${cpus} cores: --set load.threads=${more}`);
  }
  if (isOpen && load.pacing === 'timer' && cpus > load.threads) remedies.push('finer pacing: --set load.pacing=thread');
  if (load.pacing === 'spin' && load.threads >= cpus) remedies.push('a pacing that leaves the cores to others: --set load.pacing=thread');
  remedies.push(isOpen ? 'a lower rate' : 'fewer clients or a shorter pipeline');
  remedies.push(
    sharesMachine
      ? `a machine of its own for the generator: here it shares ${coresOf(cpus)} with the servers`
      : `a faster machine, or one with more than ${coresOf(cpus)}, for the generator`,
  );
  return remedies;
}

function coresOf(cpus: number): string {
  return `${cpus} core${cpus === 1 ? '' : 's'}`;
}
