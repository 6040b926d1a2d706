/**
 * The shapes of what a run writes while it goes on (run.json, intervals.ndjson, events.ndjson), once as data: readers validate with them and
 * docs/result-format.md is made from them. The TypeScript types live in records.ts; a test holds the two against each other. Unknown keys are always allowed.
 */
import { z } from 'zod';
import { accessKind, byOperation, count, faultSides, formatVersion, nodeRecord, nodeRef, role, sparseHistogram, timeUs } from './schemaParts.js';

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
      standstillUs: z.number().optional().describe('for how much of it the worker itself stood still'),
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
