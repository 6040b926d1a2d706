/**
 * The shapes of a result folder's files, once as data: readers validate with them and docs/result-format.md is made from them. The
 * TypeScript types live in records.ts and summary.ts; a test holds the two against each other. Unknown keys are always allowed.
 */
import { z } from 'zod';
import { FORMAT_VERSION } from './records.js';

const formatVersion = z.literal(FORMAT_VERSION);
const timeUs = z.number().describe('µs since t0; negative before it');
const timeMs = z.number().nullable().describe('ms since t0; null: did not happen or cannot be seen');
const count = z.number().int().nonnegative();
const accessKind = z.enum(['read', 'write']);
const role = z.enum(['master', 'replica', 'sentinel', 'unknown']);
const sparseHistogram = z
  .array(z.number().int().nonnegative())
  .describe('flat pairs [index step, count, …] over the counts array of an HDR histogram of 1 µs to 10 min with 3 significant digits');
const byOperation = <T extends z.ZodType>(value: T) => z.record(z.string().describe('get, set, incr, del or the name of a custom command'), value);

const nodeRef = z.looseObject({ node: z.string(), shard: z.number().int().nullable(), role });
const nodeRecord = z.looseObject({
  id: z.string(),
  role,
  address: z.string(),
  shard: z.number().int().nullable(),
  slots: z.array(z.string()),
  masterId: z.string().nullable(),
});

const faultSides = z
  .array(z.looseObject({ nodes: z.array(z.string()), clients: z.array(z.string()) }))
  .describe('of a fault that cuts the network: who is cut off from whom (one-way: from, to); absent: it cuts nothing');

export const intervalSchema = z
  .looseObject({
    index: z.number().int(),
    startUs: timeUs,
    endUs: timeUs,
    cells: z
      .array(
        z.looseObject({
          phase: z.number().int(),
          slot: z.number().int().describe('floor(intended start / 100 ms)'),
          ops: byOperation(
            z.looseObject({
              planned: count.describe('came due in this interval'),
              ok: count,
              fail: count,
              info: count,
              dropped: count,
              reasons: z.record(z.string(), count).optional(),
              response: sparseHistogram.describe('response time of ok and info'),
            }),
          ),
        }),
      )
      .describe('completions, grouped by the phase and 100 ms slot of their intended start'),
    shards: z.array(
      z.looseObject({
        shard: z.number().int(),
        kind: accessKind,
        ok: count,
        notOk: count,
        firstNotOkUs: timeUs.nullable(),
        overdueSinceUs: timeUs.nullable(),
      }),
    ),
    groups: z
      .array(
        z.looseObject({
          group: z.string(),
          ok: count,
          fail: count,
          info: count,
          dropped: count,
          reasons: z.record(z.string(), count).optional(),
          shards: z.array(z.looseObject({ shard: z.number().int(), kind: accessKind, ok: count, notOk: count })),
        }),
      )
      .optional()
      .describe('completions of each group of clients (load.clientGroups), warm-up included; absent without groups'),
    inFlight: count,
    queued: count,
    rest: z
      .array(
        z.looseObject({
          phase: z.number().int(),
          second: z.number().int().describe('floor(intended start / 1 s)'),
          service: byOperation(sparseHistogram),
          queue: byOperation(sparseHistogram),
          dispatchLag: sparseHistogram,
        }),
      )
      .optional(),
    generator: z
      .array(
        z.looseObject({
          worker: z.number().int(),
          eventLoopUtilization: z.number(),
          eventLoopDelayP99Us: z.number(),
          dispatchLagP99Us: z.number(),
          cpuUs: z.number(),
          rssBytes: z.number(),
          gcCount: count.optional().describe('garbage collections of the last second; absent in records of earlier versions'),
          gcPauseUs: z.number().optional().describe('how long they stopped the worker, all together'),
        }),
      )
      .optional(),
  })
  .describe('Everything that completed in 100 ms, of all workers.');

const event = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) => z.looseObject({ tUs: timeUs, type: z.literal(type), ...shape });

export const eventSchema = z
  .discriminatedUnion('type', [
    event('run', { state: z.enum(['t0', 'loadEnd', 'drained', 'interrupted', 'aborted', 'stopped', 'end']), detail: z.string().optional() }),
    event('phase', { phase: z.number().int(), name: z.string(), state: z.enum(['start', 'end']) }),
    event('fault', {
      faultId: z.number().int(),
      kind: z.string(),
      state: z.enum(['injecting', 'injected', 'healing', 'healed', 'failed', 'skipped']),
      targets: z.array(nodeRef),
      sides: faultSides.optional(),
      cutCompleteUs: timeUs.optional().describe('with sides, once injected: from when on every link between them was cut'),
      plannedAtUs: timeUs.nullable(),
      message: z.string().optional(),
    }),
    event('process', {
      node: z.string(),
      pid: z.number().int(),
      state: z.enum(['started', 'exited']),
      exitCode: z.number().int().nullable(),
      signal: z.string().nullable(),
      byFault: z.number().int().nullable(),
    }),
    event('connection', {
      worker: z.number().int(),
      node: z.string(),
      shard: z.number().int().nullable(),
      state: z.enum(['closed', 'failed', 'ready']),
      reason: z.string(),
    }),
    event('log', { node: z.string(), log: z.string(), subject: z.string().nullable(), text: z.string() }),
    event('role', { node: z.string(), role, shard: z.number().int().nullable(), epoch: z.number().nullable(), resolutionUs: z.number() }),
    event('flag', { node: z.string(), seenBy: z.string(), flag: z.enum(['pfail', 'fail', 'ok']), resolutionUs: z.number() }),
    event('clusterState', { node: z.string(), state: z.enum(['ok', 'fail']), resolutionUs: z.number() }),
    event('reachable', { node: z.string(), reachable: z.boolean(), resolutionUs: z.number(), reason: z.string() }),
    event('replicas', { shard: z.number().int(), inSync: count, known: count, resolutionUs: z.number() }),
    event('server', {
      node: z.string(),
      sample: z
        .record(z.string(), z.number().nullable())
        .describe('what the server says of itself in INFO, once a second; totals are since its start'),
    }),
    event('lag', {
      node: z.string(),
      shard: z.number().int().nullable(),
      master: z.string().nullable(),
      written: count.describe('markers that its master has acknowledged since the last one'),
      unseen: count.describe('of these it will not be known when they got there'),
      markers: z
        .array(z.tuple([timeUs, z.number(), z.number()]))
        .describe('acknowledged at (µs since t0), shown so many µs later, known to within the third'),
      waitingUs: z.number().nullable().describe('age of the oldest that it does not show yet'),
      behindBytes: z.number().nullable().describe('replication offsets by INFO, master less replica'),
    }),
    event('clock', {
      node: z.string(),
      wallAtT0Us: z.number().describe('its TIME less the time since t0'),
      uncertaintyUs: z.number().describe('half the round trip'),
    }),
    event('span', {
      worker: z.number().int(),
      shard: z.number().int(),
      kind: accessKind,
      startUs: timeUs,
      endUs: timeUs,
      asked: count,
      notOk: count,
      overdue: z.boolean(),
    }),
    event('client', {
      worker: z.number().int(),
      attempts: count,
      retries: count,
      reconnects: count,
      slotRefreshes: count,
      waits: count.optional(),
      waitShort: count.optional(),
    }),
    event('thread', { worker: z.number().int(), cpuUs: z.number(), rssBytesMax: z.number() }),
    event('target', { nodes: z.array(nodeRecord), keysPerNode: z.record(z.string(), z.number()) }),
    event('keys', { perNode: z.record(z.string(), z.number()), perRange: z.array(z.number()).nullable().describe('of 64 equal ranges of slots') }),
    event('placement', {
      stretches: z.array(
        z.looseObject({
          name: z.enum(['whole', 'before', 'between', 'after']),
          startUs: timeUs,
          endUs: timeUs,
          nodes: z.array(z.looseObject({ node: z.string(), slots: count, ops: count })),
          rangeOps: z.array(count),
          rangeNodes: z.array(z.string().nullable()),
          slotVariation: z.number().nullable(),
          hottest: z.array(z.looseObject({ slot: z.number().int(), ops: count, node: z.string().nullable() })),
        }),
      ),
    }),
    event('proof', { holds: z.array(z.string()), missing: z.array(z.string()) }),
    event('consistency', {
      keyCount: count,
      keyStride: count,
      checkedKeys: count,
      unverifiedKeys: count,
      ackedWrites: count,
      unstampedWrites: count,
      indeterminateWrites: count,
      lostWrites: count,
      lostKeys: count,
      isLowerBound: z.boolean(),
      resurrectedKeys: count,
      values: z.looseObject({ corrupt: count, foreign: count, neverWritten: count }).describe('held in the end'),
      reads: z.record(z.string(), count).describe('what reads brought during the run'),
      explained: z.record(z.string(), count),
      counters: z.record(z.string(), count).nullable(),
      evictedKeys: count,
      expiredKeys: count,
      lost: z.array(z.looseObject({ shard: z.number().int(), startUs: timeUs, count, faultId: z.number().int().nullable() })),
      lostSpan: z.looseObject({ firstUs: timeUs, lastUs: timeUs }).nullable(),
    }),
    event('message', { level: z.enum(['info', 'warning', 'error']), text: z.string() }),
  ])
  .describe('One thing that happened.');

export const runSchema = z
  .looseObject({
    formatVersion,
    kvbenchVersion: z.string(),
    id: z.string(),
    name: z.string(),
    startedAt: z.string().describe('ISO 8601, UTC'),
    t0WallMs: z.number().nullable().describe('wall clock of t0, ms since the epoch'),
    argv: z.array(z.string()),
    plan: z
      .looseObject({
        name: z.string(),
        seed: z.number().int(),
        target: z.looseObject({ kind: z.enum(['lab', 'external']) }),
        load: z.looseObject({
          phases: z.array(
            z.looseObject({
              index: z.number().int(),
              name: z.string(),
              kind: z.enum(['open', 'closed']),
              record: z.boolean(),
              startUs: timeUs,
              durationUs: z.number(),
            }),
          ),
        }),
        chaos: z.array(z.looseObject({ id: z.number().int(), kind: z.string() })),
        objective: z.array(z.looseObject({ metric: z.string(), expression: z.string() })),
        thresholds: z.array(z.looseObject({ metric: z.string(), expression: z.string() })),
      })
      .describe('the resolved plan, without secrets'),
    fingerprint: z.looseObject({ profile: z.string(), workload: z.string(), seed: z.number(), server: z.string(), machine: z.string() }),
    machine: z.looseObject({ cpus: z.number(), cpuModel: z.string(), memoryBytes: z.number(), platform: z.string(), node: z.string() }),
    target: z
      .looseObject({
        topology: z.string(),
        server: z.string(),
        version: z.string(),
        nodes: z.array(nodeRecord),
        clusterNodeTimeoutMs: z.number().nullable(),
        fullCoverage: z.boolean().nullable(),
        settings: z.record(z.string(), z.string()),
        sentinel: z.looseObject({ masterName: z.string(), count, quorum: count, downAfterMs: z.number(), failoverTimeoutMs: z.number() }).optional(),
        proxied: z.boolean(),
      })
      .nullable(),
  })
  .describe('What was run, with what, on what.');

const operationCounts = z.looseObject({
  planned: count.nullable().describe('null in closed loop'),
  total: count,
  ok: count,
  fail: count,
  info: count,
  dropped: count,
  byReason: z.record(z.string(), count),
});
const latencyStats = z.looseObject({
  min: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  count,
});
const latencyByOperation = z.record(z.string().describe('get, set, incr, del, the name of a custom command, or all'), latencyStats);
const fault = z.looseObject({
  id: z.number().int(),
  kind: z.string(),
  status: z.enum(['planned', 'injected', 'healed', 'failed', 'skipped', 'observed']),
  message: z.string().nullable(),
  targets: z.array(nodeRef),
  sides: faultSides.optional(),
  plannedAtMs: timeMs,
  injectedAtMs: timeMs,
  processGoneMs: timeMs,
  firstErrorMs: timeMs,
  detectedMs: timeMs,
  promotedMs: timeMs,
  clientRecoveredMs: timeMs,
  p99RecoveredMs: timeMs,
  healedAtMs: timeMs,
  redundancyRestoredMs: timeMs,
  rtoMs: timeMs,
  sentinel: z
    .looseObject({ sdownMs: timeMs, tryFailoverMs: timeMs, electedMs: timeMs, switchedMs: timeMs, aborts: count })
    .optional()
    .describe('a failover by sentinels: the first +sdown, +try-failover, +elected-leader and +switch-master; detectedMs is +odown'),
});
const replicaLag = z.looseObject({
  shard: z.number().int().nullable(),
  lag: latencyStats.nullable().describe('µs; null: no write was seen'),
  resolution: z.looseObject({ p50: z.number(), max: z.number() }).nullable().describe('the lag of a write is known to within so many µs'),
  unseen: count.describe('writes of which it is not known when they got there'),
  behindBytesMax: z.number().nullable().describe('by replication offsets, master less replica'),
  windows: z
    .array(z.looseObject({ name: z.enum(['before', 'inForce', 'after']), faultId: z.number().int(), lag: latencyStats.nullable() }))
    .describe('until a fault was begun, while it was in force, from its heal to the next'),
});
const placementStretch = z.looseObject({
  name: z.enum(['whole', 'before', 'between', 'after']),
  startMs: z.number(),
  endMs: z.number(),
  nodes: z.array(z.looseObject({ node: z.string(), slots: count, keys: z.number().nullable(), ops: count.describe('that ended ok') })),
  keysVariation: z.number().nullable().describe('standard deviation over mean, of the nodes that hold slots'),
  opsVariation: z.number().nullable(),
  slotOpsVariation: z.number().nullable().describe('of all slots'),
  hottest: z.array(z.looseObject({ slot: z.number().int(), ops: count, node: z.string().nullable() })),
  ranges: z.array(z.looseObject({ node: z.string().nullable(), ops: count, keys: z.number().nullable() })).describe('64 ranges of 256 slots'),
});
const targetNodes = z.array(z.looseObject({ id: z.string(), role: z.string(), address: z.string(), slots: z.array(z.string()) }));

const countersOf = { acked: count, indeterminate: count, final: count, lost: count, doubleApplied: count, resent: count };
const explained = z.looseObject({ overwrittenByIndeterminate: count, deletedByIndeterminate: count, expired: count, evicted: count });
const consistency = z.looseObject({
  checkedKeys: count.describe('read back, ordinary keys and counters'),
  ackedWrites: count.describe('SETs and DELs of tracked keys, with those of the preload'),
  indeterminateWrites: count,
  lostWrites: count.describe('acknowledged SETs and DELs that are newer than what their key holds'),
  staleReads: count.describe('returned less than was acknowledged before they were sent'),
  resurrectedKeys: count.describe('have a value although the last acknowledged write deleted them'),
  corruptValues: count.describe('held in the end, or returned by a read'),
  foreignValues: count.describe('of another key or run'),
  neverWrittenValues: count.describe('of a version that was never sent, or was refused'),
  counters: z.looseObject(countersOf).describe('increments; resent: of the double ones, by a client that sent the operation again'),
  heldInTheEnd: z.looseObject({ corrupt: count, foreign: count, neverWritten: count }).describe('of these, without what reads returned'),
  unverifiedKeys: count,
  keyStride: z.number().int().describe('every so many keys one was tracked'),
  lostKeys: count,
  isLowerBound: z.boolean().describe('not all acknowledgements were remembered one by one: more can be lost'),
  nonMonotonicReads: count.describe('returned less than the same worker had read before'),
  checkedReads: count,
  unjudgedReads: count,
  readFrom: z.enum(['master', 'replica']),
  unstampedWrites: count.describe('of values too short for a version'),
  explained: explained.describe('keys that lack their last acknowledged write, by what explains it'),
  evictedKeys: count,
  expiredKeys: count,
  rpo: z.looseObject({ writes: count, firstMs: z.number(), lastMs: z.number(), spanMs: z.number() }).nullable(),
  lost: z.array(z.looseObject({ shard: z.number().int(), startMs: z.number(), count, faultId: z.number().int().nullable() })),
});

/** A line of `lost-writes.ndjson`. */
export const lostWriteSchema = z
  .looseObject({
    key: z.string(),
    slot: z.number().int(),
    shard: z.number().int(),
    op: z.enum(['set', 'del', 'incr']),
    version: z.number().int().nullable().describe('as stamped into the value; null for increments'),
    count: count.describe('increments lost at once; else 1'),
    ackedUs: timeUs.describe('when it was acknowledged; −1: by the preload; of increments, when their loss was noticed'),
    faultId: z.number().int().nullable().describe('in force on that shard then, or else the next one after it'),
    foundVersion: z.number().int().nullable().describe('what the key holds instead; null: it is gone, or its value has no version'),
  })
  .describe('An acknowledged write that the servers no longer hold.');

export const summarySchema = z
  .looseObject({
    formatVersion,
    verdict: z.enum(['passed', 'failed', 'aborted', 'interrupted']),
    exitCode: z.number().int(),
    sentence: z.string(),
    advice: z.string().nullable(),
    seed: z.number().int(),
    durationMs: z.number(),
    ops: operationCounts,
    warmUp: operationCounts,
    throughputOpsPerSec: z.number(),
    latencyUs: latencyByOperation,
    serviceUs: latencyByOperation,
    queueUs: latencyByOperation,
    dispatchLagUs: z.looseObject({ all: latencyStats.optional() }),
    phases: z.array(
      z.looseObject({
        name: z.string(),
        record: z.boolean(),
        startMs: z.number(),
        endMs: z.number(),
        ops: operationCounts,
        throughputOpsPerSec: z.number(),
        latencyUs: latencyByOperation,
        littlesLaw: z.looseObject({ inFlightExpected: z.number(), inFlightMeasured: z.number() }).nullable(),
      }),
    ),
    windows: z.array(
      z.looseObject({
        name: z.enum(['before', 'fault', 'recovery', 'after']),
        faultId: z.number().int().nullable(),
        startMs: z.number(),
        endMs: z.number(),
        ops: operationCounts,
        latencyUs: latencyByOperation,
      }),
    ),
    availability: z.looseObject({
      rate: z.number().nullable(),
      resolutionMs: z.number(),
      degradedMs: z.number(),
      gaps: z.array(
        z.looseObject({
          shard: z.union([z.number().int(), z.enum(['any', 'all'])]),
          kind: accessKind,
          startMs: z.number(),
          endMs: z.number(),
          durationMs: z.number(),
          faultId: z.number().int().nullable(),
          collateral: z.boolean(),
        }),
      ),
    }),
    faults: z.array(fault),
    incidents: z.array(fault),
    clientGroups: z
      .array(
        z.looseObject({
          name: z.string(),
          threads: count,
          ok: count,
          fail: count,
          info: count,
          dropped: count,
          byReason: z.record(z.string(), count),
          cuts: z
            .array(
              z.looseObject({
                faultId: z.number().int(),
                side: z.number().int().nullable().describe('index into the fault’s sides; null: these clients reached everybody'),
                nodes: z.array(z.string()).nullable().describe('the nodes on their side'),
                ok: count,
                notOk: count,
                shards: z.array(
                  z.looseObject({
                    shard: z.number().int(),
                    kind: accessKind,
                    ok: count,
                    notOk: count,
                    firstOkMs: timeMs.describe('start of the first 100 ms with a success'),
                    lastOkMs: timeMs.describe('end of the last 100 ms with a success'),
                  }),
                ),
              }),
            )
            .describe('while each fault that cut the network was in force, by completion'),
        }),
      )
      .optional()
      .describe('what each group of clients got (load.clientGroups); absent without groups'),
    healing: z
      .looseObject({ whole: z.boolean(), holds: z.array(z.string()), missing: z.array(z.string()) })
      .nullable()
      .optional(),
    client: z.looseObject({
      attempts: count,
      retries: count,
      reconnects: count,
      slotRefreshes: count,
      waits: count.optional().describe('WAIT or WAITAOF after writes, that were answered; absent where none were asked'),
      waitShort: count.optional().describe('how many of these fell short of what was asked'),
    }),
    consistency: consistency.nullable().describe('null: no ledger was kept, or nothing was read back'),
    thresholds: z.array(
      z.looseObject({ metric: z.string(), expression: z.string(), observed: z.number().nullable(), ok: z.boolean(), note: z.string().optional() }),
    ),
    generator: z.looseObject({
      saturated: z.boolean(),
      reasons: z.array(z.string()),
      eventLoopUtilization: z.number(),
      dispatchLagP99Us: z.number(),
      eventLoopDelayP99Us: z.number(),
      cpuSeconds: z.number(),
      rssBytesMax: z.number(),
      remedies: z.array(z.string()).optional().describe('what to change when saturated; absent in summaries of earlier versions'),
      workers: z
        .array(
          z.looseObject({
            worker: z.number().int(),
            eventLoopUtilization: z.number().describe('its highest second, 0..1'),
            eventLoopDelayP99Us: z.number().describe('p99 of its worst second'),
            dispatchLagP99Us: z.number().describe('p99 of its worst second'),
            cpuSeconds: z.number(),
            gcCount: count.nullable().describe('garbage collections since t0; null: not recorded'),
            gcPauseUs: z.number().nullable().describe('how long they stopped the worker, all together'),
            gcPauseWorstSecondUs: z.number().nullable(),
          }),
        )
        .optional()
        .describe('one entry per load worker'),
    }),
    servers: z
      .array(
        z.looseObject({
          node: z.string(),
          cpuSecondsPerSec: z.looseObject({ mean: z.number().nullable(), max: z.number().nullable() }),
          memoryBytesMax: z.number().nullable(),
          opsPerSecMax: z.number().nullable(),
          networkBytes: z.looseObject({ in: z.number().nullable(), out: z.number().nullable() }),
          hits: count.nullable(),
          misses: count.nullable(),
          evicted: count.nullable(),
          expired: count.nullable(),
          lastForkUs: z.number().nullable().describe('of its last fork, be it before t0'),
        }),
      )
      .optional()
      .describe('each node by its own INFO, from t0 to the end of the load; null: it did not say'),
    replicationLagUs: z
      .record(z.string(), replicaLag)
      .optional()
      .describe('by replica: from the master’s answer to a write until a read of the replica showed it; absent where it was not measured'),
    clocks: z
      .looseObject({ reference: z.string(), nodes: z.record(z.string(), z.looseObject({ differenceUs: z.number(), uncertaintyUs: z.number() })) })
      .optional()
      .describe('clocks of the nodes (TIME) against that of `reference`, ± half the round trips; absent where lag was not measured'),
    placement: z
      .array(placementStretch)
      .optional()
      .describe('in clusters: where keys and operations were, while no slot changed hands: before the first change, after the last, and between'),
    target: z
      .looseObject({
        topology: z.string(),
        server: z.string(),
        version: z.string(),
        nodes: targetNodes,
        nodesAfter: targetNodes,
        keysPerNode: z.record(z.string(), z.number()),
        keysPerNodeBefore: z.record(z.string(), z.number()).optional().describe('before t0, after filling'),
      })
      .nullable(),
  })
  .describe('The run in numbers.');
