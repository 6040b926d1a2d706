/** `run.json`: what was run, with what, on what. Pure but for the machine it describes. Called by run.ts when t0 is fixed. */
import { cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { Plan } from '../plan/plan.js';
import { fingerprintOf } from '../result/fingerprint.js';
import { FORMAT_VERSION, type RunRecord } from '../result/records.js';
import type { Target } from '../topology/target.js';

export interface RunRecordOptions {
  plan: Plan;
  folder: string;
  target: Target;
  proxied: boolean;
  t0WallMs: number;
}

export function makeRunRecord({ plan, folder, target, proxied, t0WallMs }: RunRecordOptions): RunRecord {
  const machine = machineRecord();
  const targetRecord = { ...target.describe(), proxied };
  return {
    formatVersion: FORMAT_VERSION,
    kvbenchVersion,
    id: basename(folder),
    name: plan.name,
    startedAt: new Date(t0WallMs).toISOString(),
    t0WallMs: Math.round(t0WallMs),
    argv: process.argv.slice(2),
    plan,
    fingerprint: fingerprintOf(plan, targetRecord, machine),
    machine,
    target: targetRecord,
  };
}

/** What this machine is. */
export function machineRecord(): RunRecord['machine'] {
  const cpu = cpus();
  return {
    cpus: cpu.length,
    cpuModel: cpu[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}
