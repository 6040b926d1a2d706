/**
 * The shape of summary.json, and of the lines of lost-writes.ndjson, once as data: readers validate with them and docs/result-format.md is made
 * from them. The TypeScript types live in summary.ts; a test holds the two against each other. Unknown keys are always allowed.
 */
import { z } from 'zod';
import { accessKind, count, faultSides, formatVersion, nodeRef, timeMs, timeUs } from './schemaParts.js';

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
