/** docs/result-format.md, made from the schemas; a test fails when the page is stale. Pure. */
import { z } from 'zod';
import { runsGroupSchema, runsGroupSummarySchema } from './groupSchemas.js';
import { eventSchema, intervalSchema, runSchema } from './recordSchemas.js';
import { FORMAT_VERSION, reasons } from './records.js';
import { lostWriteSchema, summarySchema } from './summarySchema.js';

const sections: readonly { file: string; text: string; schema: z.ZodType }[] = [
  {
    file: 'summary.json',
    text: `The run in numbers, and what CI builds on. Times are ms since t0 where they end in \`Ms\` (fractions to the µs), µs where they end in \`Us\`; null:
did not happen or cannot be seen. Latency is over ok and unknown (\`info\`) operations: a quick error does not make an outage look fast.
\`planned = ok + fail + info + dropped\` in open loop; in closed loop \`planned\` is null. Warm-up is in \`warmUp\` and its phase, nowhere else.
Response times are attributed to a window by 100 ms of their intended start; service time and queue are kept by the second, in thresholds too.
A threshold that had no sample has \`observed: null\` and fails; so has one over an outage that never ended.

Windows of a fault: \`before\`, from the end of the recovery of earlier faults (at first: of warm-up) to the injection, absent while an earlier fault is
still felt; \`fault\`, from the injection to the end of its last gap, or without a gap to its heal; \`recovery\`, until it is healed, p99 is back and
redundancy restored, as far as these happened; \`after\`, from then to the next injection or the end of the load. Windows of overlapping faults overlap.
A threshold's \`during\` without \`fault\` takes each operation once: \`fault\` if it is in any fault's, else \`recovery\` if in any, else \`before\` until the
first injection, else \`after\`. A \`fault\` without \`during\` means the \`fault\` window of that fault. A window can be missing (e.g. after an interrupted run).

\`incidents\` are outages nobody scheduled. Their \`injectedAtMs\` is when they began as far as can be seen; \`kind\` is \`process exit\`, \`failover\` or \`outage\`.
Their gaps have \`faultId: null\`.`,
    schema: summarySchema,
  },
  { file: 'run.json', text: 'What was run, with what, on what. Written whole when t0 is fixed.', schema: runSchema },
  {
    file: 'intervals.ndjson',
    text: `One line per 100 ms, appended as they happen. The first line is \`{"formatVersion":${FORMAT_VERSION},"type":"intervals"}\`; each other one follows this
schema. Operations are in the interval in which they completed, grouped by the phase and the 100 ms of their intended start.

A histogram is a flat list of pairs \`index step, count\`: add up the steps for the index. Index i of HdrHistogram's counts array (lowest value 1, highest
600,000,000 µs, 3 significant digits): for i < 2048 the value is i µs; else, with b = (i >> 10) − 1, the values from ((i & 1023) + 1024) × 2^b on, 2^b of
them. Adding histograms is adding counts; \`latency.hlog\` has the same as text for HdrHistogram tools.`,
    schema: intervalSchema,
  },
  {
    file: 'events.ndjson',
    text: `One line per happening, appended in the order they became known; \`tUs\` is when they were (a server's log line is placed by its own time). The first
line is \`{"formatVersion":${FORMAT_VERSION},"type":"events"}\`.`,
    schema: eventSchema,
  },
  {
    file: 'lost-writes.ndjson',
    text: `One line per acknowledged write that the servers no longer held when all tracked keys were read back, in order of time; only of runs with a ledger. The
first line is \`{"formatVersion":${FORMAT_VERSION},"type":"lostWrites"}\`.

A SET or DEL of a key has a rising version. Lost is every acknowledged one that is newer than what the key holds, unless that is the version of a write of
unknown outcome, which may happen at any later time. Of a key that is gone the least is assumed: that its last acknowledged DEL is what it went back to. What a TTL
or the eviction of keys explains is not lost. An INCR is lost when a counter is below what was answered before; applied twice when it is above what can have been.`,
    schema: lostWriteSchema,
  },
  {
    file: 'group.json',
    text: `Of a group of runs: repeats (\`kvbench run --repeat N\`), variants of a profile, base against candidate (\`kvbench ab\`). The runs are ordinary result folders,
\`runs/NN-variant/\`, each on a target brought up afresh. That of a search for the capacity is described above.`,
    schema: runsGroupSchema,
  },
  {
    file: 'summary.json of a group',
    text: `Each figure of a variant is the median over its runs (of an even number the mean of the middle two), with the least and the greatest. \`report.html\` and
\`variants.png\` show the same; \`kvbench report DIR\` makes all of it again from \`group.json\` and the runs.`,
    schema: runsGroupSummarySchema,
  },
];

/** The page's Markdown. */
export function renderResultFormat(): string {
  const parts = [
    '# The result folder',
    `<!-- Made from src/result/recordSchemas.ts and summarySchema.ts: change it there, then run the tests with UPDATE_GOLDEN=1. -->
Every run makes a folder \`reports/<time>-<name>/\` of its own. Every JSON file in it says \`formatVersion: ${FORMAT_VERSION}\`. Keys may be added; a change of
meaning raises the version. A killed run leaves \`run.json\`, \`intervals.ndjson\` and \`events.ndjson\`, from which \`kvbench report DIR\` makes the rest; its last line
may be cut off.

| file | what |
|---|---|
| \`run.json\` | the resolved plan without secrets, fingerprints, versions, the target before t0 |
| \`intervals.ndjson\` | counts and histograms of each 100 ms |
| \`events.ndjson\` | faults, roles, logs, connections, spans without a success |
| \`latency.hlog\` | response times as an HdrHistogram interval log 1.3, one line per second and operation, tagged by operation, in µs |
| \`summary.json\` | verdict, sentence, latency, gaps, milestones, thresholds |
| \`junit.xml\` | one test case per threshold |
| \`report.html\`, \`*.png\` | the report, and its main picture |
| \`lost-writes.ndjson\` | the acknowledged writes that are gone; with a ledger |
| \`ops-<worker>.ndjson\`, \`final-values.ndjson\` | with \`load.opsLog\`: every operation (arrays in the order of \`columns\` in the first line), and what each tracked key held in the end (its first 24 bytes, length and CRC-32 of the rest); \`kvbench verify\` counts from these alone |
| \`nodes/*.log\` | the servers' own logs, in a lab |

A search for the capacity makes a *group*: \`group.json\` (the plan with \`capacity\`, machine and target), \`runs/NN-<rate>/\`, each the folder of a run as
above, \`summary.json\` with \`kind: "capacity"\`, \`report.html\` and \`capacity.png\`. That summary has \`verdict\`, \`exitCode\`, \`sentence\`, \`advice\`, \`seed\`,
\`capacity\` (\`rateOpsPerSec\`, null when not even the lowest rate holds; \`bracket\`; \`objective\`; \`confirmed\`; \`limitedBy\`: server, generator or range) and
\`trials\` in the order they ran (\`rateOpsPerSec\`, \`purpose\`, \`verdict\`: holds, fails or generator, \`reasons\`, \`latencyUs\`, \`objective\` as judged, …).
\`kvbench report DIR\` makes all of it again from \`group.json\` and the runs.

Reasons of operations that were not ok: ${reasons.map((reason) => `\`${reason}\``).join(', ')}.`,
    ...sections.map(({ file, text, schema }) => `## ${file}\n${text}\n\n${schemaBlock(schema)}`),
  ];
  return `${parts.join('\n\n')}\n`;
}

function schemaBlock(schema: z.ZodType): string {
  return `<details><summary>JSON Schema</summary>\n\n\`\`\`json\n${JSON.stringify(z.toJSONSchema(schema), null, 1)}\n\`\`\`\n</details>`;
}
