/** What makes two runs comparable, as short digests. Pure; called when run.json is made. */
import { createHash } from 'node:crypto';
import type { Plan } from '../plan/plan.js';
import type { RunRecord, RunTargetRecord } from './records.js';

/** Hex digits of a digest. */
const DIGEST_DIGITS = 16;

/**
 * Digests of the parts of a run. `profile`: target, load and chaos without the workload, the seed and what was drawn from it, names,
 * thresholds, and which server program runs; `workload`: the workload; `server`: product, version and settings; `machine`: as in run.json.
 */
export function fingerprintOf(plan: Plan, target: RunTargetRecord | null, machine: RunRecord['machine']): RunRecord['fingerprint'] {
  const { workload, ...load } = plan.load;
  const { name: _name, ...mix } = workload;
  const where = plan.target.kind === 'lab' ? { ...plan.target, server: null } : { ...plan.target, username: null, password: null };
  return {
    profile: digest({ target: where, toxiproxy: plan.toxiproxy.kind, load, chaos: withoutDraws(plan.chaos) }),
    workload: digest(mix),
    seed: plan.seed,
    server: digest(target ? { server: target.server, version: target.version, settings: target.settings } : null),
    machine: digest(machine),
  };
}

/** The first 16 hex digits of SHA-256 over the value's JSON with sorted keys. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, DIGEST_DIGITS);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** A selector's draw comes from the seed, which is compared on its own. */
function withoutDraws(chaos: Plan['chaos']): unknown {
  return chaos.map((fault) => ({ ...fault, shading: null, selector: fault.selector === null ? null : { ...fault.selector, draw: null } }));
}
