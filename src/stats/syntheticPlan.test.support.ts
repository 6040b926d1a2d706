/** Test support: the plan and run record of a made-up run, and thresholds in few words. Used by syntheticRun.ts and tests only. */
import type { FaultPlan, PhasePlan, Plan, ThresholdPlan } from '../plan/plan.js';
import type { EventRecord, Reason, RunRecord } from '../result/records.js';

export interface SyntheticOutage {
  shard: number;
  startUs: number;
  endUs: number;
  /** `refuse`: fails at once; `hang`: answered when it is over. */
  mode: 'refuse' | 'hang';
  reason?: Reason;
}

export interface SyntheticOptions {
  shards?: number;
  workers?: number;
  /** Per shard; half of it reads. */
  ratePerShard?: number;
  /** Default: 3 s of warm-up, then 17 s. */
  phases?: { name: string; durationUs: number; record?: boolean; clients?: number }[];
  outages?: readonly SyntheticOutage[];
  slow?: readonly { startUs: number; endUs: number; addUs: number }[];
  events?: readonly EventRecord[];
  chaos?: readonly Partial<FaultPlan>[];
  thresholds?: readonly ThresholdPlan[];
  objective?: readonly ThresholdPlan[];
  topology?: 'cluster' | 'standalone';
  argv?: readonly string[];
  /** The process was killed here: nothing of later is on disk, nor any span that was open. */
  killedAtUs?: number;
}

export function syntheticPlan(options: SyntheticOptions): Plan {
  const { shards = 3, ratePerShard = 400, topology = 'cluster' } = options;
  const wanted = options.phases ?? [
    { name: 'warm-up', durationUs: 3_000_000, record: false },
    { name: 'steady', durationUs: 17_000_000 },
  ];
  let startUs = 0;
  let firstOperation = 0;
  const phases = wanted.map(({ name, durationUs, record = true, clients }, index): PhasePlan => {
    const base = { index, name, record, startUs, durationUs };
    startUs += durationUs;
    if (clients !== undefined) return { ...base, kind: 'closed', clients, pipeline: 1, operationLimit: null };
    const rate = ratePerShard * shards;
    const operationCount = Math.floor((rate * durationUs) / 1_000_000);
    const phase: PhasePlan = {
      ...base,
      kind: 'open',
      arrivals: 'constant',
      rateStartPerSec: rate,
      rateEndPerSec: rate,
      operationCount,
      firstOperation,
    };
    firstOperation += operationCount;
    return phase;
  });
  const chaos = (options.chaos ?? []).map(
    (fault, i): FaultPlan => ({
      id: i + 1,
      kind: 'kill',
      trigger: { kind: 'at', atUs: 8_000_000 },
      forUs: null,
      selector: null,
      params: {},
      needsProxy: false,
      shading: { color: '#c33', label: 'kill' },
      ...fault,
    }),
  );
  return {
    name: 'synthetic',
    description: '',
    seed: 42,
    target: { kind: 'lab', topology, masters: shards, replicasPerMaster: topology === 'cluster' ? 1 : 0, server: 'redis-server', config: {} },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: options.workers ?? 2,
      connections: 4,
      maxInFlight: 1000,
      maxQueued: 1000,
      timeoutUs: 5_000_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'timer',
      workload: {
        name: 'half-half',
        operations: { get: 50, set: 50, incr: 0, del: 0 },
        keys: { count: 1000, prefix: 'kvbench:', perTag: 0, distribution: { kind: 'uniform' } },
        values: { kind: 'fixed', bytes: 64 },
        ttlMs: 0,
        preload: true,
        readModifyWrite: 0,
        checksum: false,
      },
      phases,
    },
    chaos,
    objective: [...(options.objective ?? [])],
    thresholds: [...(options.thresholds ?? [])],
    allow: [],
  };
}

export function syntheticRecord(plan: Plan, { shards = 3, topology = 'cluster', argv }: SyntheticOptions): RunRecord {
  const node = (i: number, role: 'master' | 'replica') => ({
    id: `n${role === 'master' ? i + 1 : i + 1 + shards}`,
    role,
    address: `127.0.0.1:${7000 + i + (role === 'master' ? 0 : shards)}`,
    shard: i,
    slots: role === 'master' ? [`${Math.floor((i * 16384) / shards)}-${Math.floor(((i + 1) * 16384) / shards) - 1}`] : [],
    masterId: role === 'master' ? null : `n${i + 1}`,
  });
  const each = Array.from({ length: shards }, (_, i) => i);
  return {
    formatVersion: 1,
    kvbenchVersion: '0.1.0',
    id: 'synthetic',
    name: plan.name,
    startedAt: '2026-07-30T10:15:30.000Z',
    t0WallMs: 1_785_406_530_000,
    argv: [...(argv ?? ['run', 'profiles/failover.yaml'])],
    plan,
    fingerprint: { profile: '0'.repeat(16), workload: '1'.repeat(16), seed: plan.seed, server: '2'.repeat(16), machine: '3'.repeat(16) },
    machine: { cpus: 2, cpuModel: 'test', memoryBytes: 4e9, platform: 'linux x64', node: 'v20.19.0' },
    target: {
      topology,
      server: 'redis',
      version: '7.0.15',
      nodes: [...each.map((i) => node(i, 'master')), ...(topology === 'cluster' ? each.map((i) => node(i, 'replica')) : [])],
      clusterNodeTimeoutMs: topology === 'cluster' ? 2000 : null,
      fullCoverage: topology === 'cluster' ? true : null,
      settings: {},
      proxied: false,
    },
  };
}

/** A threshold in few words. */
export function threshold(
  metric: string,
  aggregate: Exclude<ThresholdPlan['aggregate']['kind'], 'percentile'> | number,
  comparator: ThresholdPlan['comparator'],
  limit: number,
  more: Partial<ThresholdPlan> = {},
): ThresholdPlan {
  const [, name = '', tagText = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(metric) ?? [];
  const tags = Object.fromEntries(
    tagText
      .split(',')
      .filter(Boolean)
      .map((tag) => tag.split(':') as [string, string]),
  );
  const kind = typeof aggregate === 'number' ? ({ kind: 'percentile', percentile: aggregate } as const) : { kind: aggregate };
  const expression = `${typeof aggregate === 'number' ? `p(${aggregate})` : aggregate}${comparator}${limit}`;
  return {
    metric,
    name: name as ThresholdPlan['name'],
    tags,
    expression,
    aggregate: kind,
    comparator,
    limit,
    abortOnFail: false,
    delayAbortEvalUs: 0,
    ...more,
  };
}
