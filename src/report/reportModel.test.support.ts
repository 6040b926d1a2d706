/** Test support: small plans, run records and summaries of made-up runs for the tests of what is shown on the terminal. */
import type { FaultPlan, Plan } from '../plan/plan.js';
import type { NodeRecord, RunRecord } from '../result/records.js';
import type { FaultSummary, Gap, LatencyStats, OperationCounts, Summary, WindowSummary } from '../result/summary.js';

export function planModel(more: Partial<Plan> = {}): Plan {
  return {
    name: 'failover',
    description: '',
    seed: 42,
    target: { kind: 'lab', topology: 'cluster', masters: 2, replicasPerMaster: 1, server: 'redis-server', config: {} },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: 2,
      connections: 4,
      maxInFlight: 1000,
      maxQueued: 1000,
      timeoutUs: 5_000_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'timer',
      workload: {
        name: 'session-cache',
        operations: { get: 90, set: 10, incr: 0, del: 0 },
        keys: { count: 1000, prefix: 'kvbench:', perTag: 0, distribution: { kind: 'uniform' } },
        values: { kind: 'fixed', bytes: 64 },
        ttlMs: 0,
        preload: true,
        readModifyWrite: 0,
        checksum: false,
      },
      phases: [],
    },
    chaos: [faultPlanModel(1, 'kill')],
    objective: [],
    thresholds: [],
    allow: [],
    ...more,
  };
}

export function faultPlanModel(id: number, kind: string): FaultPlan {
  return {
    id,
    kind,
    trigger: { kind: 'at', atUs: 8_000_000 },
    forUs: 10_000_000,
    selector: null,
    params: {},
    needsProxy: false,
    shading: { color: '#c33', label: kind },
  };
}

export function runModel(shards: number): RunRecord {
  const plan = planModel();
  const nodes = Array.from({ length: shards * 2 }, (_, i): NodeRecord => {
    const isMaster = i < shards;
    return {
      id: `n${i + 1}`,
      role: isMaster ? 'master' : 'replica',
      address: `127.0.0.1:${7000 + i}`,
      shard: i % shards,
      slots: [],
      masterId: isMaster ? null : `n${i - shards + 1}`,
    };
  });
  return {
    formatVersion: 1,
    kvbenchVersion: '0.1.0',
    id: 'model',
    name: plan.name,
    startedAt: '2026-07-30T10:15:30.000Z',
    t0WallMs: 1_785_406_530_000,
    argv: ['run', 'profiles/failover.yaml'],
    plan,
    fingerprint: { profile: '0'.repeat(16), workload: '1'.repeat(16), seed: 42, server: '2'.repeat(16), machine: '3'.repeat(16) },
    machine: { cpus: 2, cpuModel: 'test', memoryBytes: 4e9, platform: 'linux x64', node: 'v20.19.0' },
    target: {
      topology: 'cluster',
      server: 'redis',
      version: '7.0.15',
      nodes,
      clusterNodeTimeoutMs: 2000,
      fullCoverage: true,
      settings: {},
      proxied: false,
    },
  };
}

export function statsModel(medianUs: number, count: number): LatencyStats {
  return {
    min: Math.round(medianUs / 4),
    mean: medianUs * 1.2,
    p50: medianUs,
    p90: medianUs * 2,
    p95: medianUs * 3,
    p99: medianUs * 10,
    p999: medianUs * 40,
    max: medianUs * 60,
    count,
  };
}

/** `planned` is what the outcomes add up to. */
export function countsModel(ok: number, notOk: Partial<Pick<OperationCounts, 'fail' | 'info' | 'dropped' | 'byReason'>> = {}): OperationCounts {
  const { fail = 0, info = 0, dropped = 0, byReason = {} } = notOk;
  const total = ok + fail + info + dropped;
  return { planned: total, total, ok, fail, info, dropped, byReason };
}

/** A clean run of ten seconds. */
export function summaryModel(more: Partial<Summary> = {}): Summary {
  return {
    formatVersion: 1,
    verdict: 'passed',
    exitCode: 0,
    sentence: 'Nothing went wrong: 20,000 operations at 2,000/s, p99 6.70ms, none failed',
    advice: null,
    seed: 42,
    durationMs: 10_000,
    ops: countsModel(20_000),
    warmUp: countsModel(0),
    throughputOpsPerSec: 2000,
    latencyUs: { get: statsModel(640, 18_000), set: statsModel(720, 2000), all: statsModel(670, 20_000) },
    serviceUs: { all: statsModel(120, 20_000) },
    queueUs: { all: statsModel(12, 20_000) },
    dispatchLagUs: { all: statsModel(500, 20_000) },
    phases: [],
    windows: [],
    availability: { rate: 1, resolutionMs: 100, degradedMs: 0, gaps: [] },
    faults: [],
    incidents: [],
    client: { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 },
    consistency: null,
    thresholds: [],
    generator: {
      saturated: false,
      reasons: [],
      eventLoopUtilization: 0.56,
      dispatchLagP99Us: 5000,
      eventLoopDelayP99Us: 12_300,
      cpuSeconds: 10.97,
      rssBytesMax: 241_600_000,
    },
    target: null,
    ...more,
  };
}

export function faultModel(more: Partial<FaultSummary> = {}): FaultSummary {
  return {
    id: 1,
    kind: 'kill',
    status: 'healed',
    message: null,
    targets: [{ node: 'n1', shard: 0, role: 'master' }],
    plannedAtMs: 8000,
    injectedAtMs: 8005.79,
    processGoneMs: null,
    firstErrorMs: null,
    detectedMs: null,
    promotedMs: null,
    clientRecoveredMs: null,
    p99RecoveredMs: null,
    healedAtMs: 18_022.266,
    redundancyRestoredMs: null,
    rtoMs: null,
    ...more,
  };
}

export function gapModel(shard: Gap['shard'], kind: Gap['kind'], startMs: number, endMs: number, more: Partial<Gap> = {}): Gap {
  return { shard, kind, startMs, endMs, durationMs: endMs - startMs, faultId: 1, collateral: false, ...more };
}

export function windowModel(name: WindowSummary['name'], startMs: number, endMs: number, ops: OperationCounts, medianUs: number): WindowSummary {
  return { name, faultId: 1, startMs, endMs, ops, latencyUs: { all: statsModel(medianUs, ops.ok) } };
}
