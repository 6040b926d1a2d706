/**
 * The generated documents of a profile: the reference page (Markdown) and the JSON Schema for editors. Both come from the schemas that
 * validate, so they say what is true. Called by `kvbench schema` and by the test that keeps `docs/` fresh. Pure.
 */
import type { FaultSchema } from '../chaos/fault.js';
import { faultStates, metricNames } from '../plan/plan.js';
import { commonFaultKeys, documentedFault, toxicFileSchema } from './chaosSchema.js';
import { type GateMetricName, gateMetrics } from './gateRule.js';
import { selectorForms } from './nodeSelector.js';
import { documentedProfileSchema } from './profileSchema.js';
import { documentedRandom, kindsForRandom } from './randomChaosSchema.js';
import { referenceRows, table } from './referenceTable.js';
import { type SchemaNode, schemaNodeOf } from './schemaNode.js';
import { metricRules } from './thresholdExpression.js';
import { workloadSchema } from './workloadSchema.js';

/** JSON Schema (draft 2020-12) of a profile, for editors: put `# yaml-language-server: $schema=…` on top of a file. */
export function profileJsonSchema(faults: readonly FaultSchema[]): Record<string, unknown> {
  const { $schema, ...rest } = schemaNodeOf(documentedProfileSchema(faults)) as Record<string, unknown>;
  return { $schema, title: 'kvbench profile', ...rest };
}

/** The reference page. Ends with a line break. */
export function renderProfileReference(faults: readonly FaultSchema[]): string {
  const root = profileJsonSchema(faults) as SchemaNode;
  const properties = root.properties ?? {};
  return `${[
    intro,
    '## A profile',
    table(referenceRows(root, '', 1)),
    '## `target`',
    properties.target?.description ?? '',
    ...(properties.target?.oneOf ?? []).flatMap(targetSection),
    '## `load`',
    table(referenceRows(without(properties.load, ['workload']), 'load.')),
    '## A workload',
    'A file that `load.workload` names, or the same keys inline under `load.workload`.',
    table(referenceRows(schemaNodeOf(workloadSchema), '')),
    '## `chaos`',
    'A list of faults, numbered from 1. Every entry has these keys, and those of its kind:',
    table(commonRows(faults)),
    ...faults.flatMap(faultSection),
    ...randomSection(faults),
    ...toxicSection(faults),
    '## `capacity`',
    `${properties.capacity?.description ?? ''} Rates are doubled from the lowest until one fails twice, what is left is halved to the precision, and the rate found is confirmed; then the rate above it gets a second look.`,
    table(referenceRows(without(properties.capacity, []), 'capacity.')),
    '## `variants`',
    variantsText,
    '## `safety`',
    properties.safety?.description ?? '',
    table(referenceRows(without(properties.safety, []), 'safety.')),
    '## Node selectors',
    'They resolve at injection, by the roles of that moment; the event says to what, and the heal acts on what the injection hit.',
    selectorTable,
    '## `thresholds` and `objective`',
    thresholdText,
    metricTable(),
    '## `gate`',
    gateText,
    gateTable(),
    outsideText,
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

const intro = `# Profile reference

Generated from the schema that validates (\`UPDATE_GOLDEN=1 npm test\` writes it again); the same as a JSON Schema for editors: \`docs/profile.schema.json\` or \`kvbench schema\`.
\`kvbench validate FILE\` tells all problems of a file at once, each with its line and column.

Durations are written \`500ms\`, \`5s\`, \`1m30s\` (units us, ms, s, m, h); sizes \`64B\`, \`4KiB\`, \`1MB\` (B, KB, KiB, MB, MiB, GB, GiB); rates \`5000/s\`, \`300/m\`, \`20k/s\`. There is no default unit.
Files named in a profile are relative to that profile; the name of a shipped one does, too (\`kvbench list\`).`;

function targetSection(node: SchemaNode): string[] {
  const topology = node.properties?.topology;
  return [`### \`topology: ${String(topology?.const)}\``, topology?.description ?? '', table(referenceRows(without(node, ['topology']), 'target.'))];
}

function commonRows(faults: readonly FaultSchema[]): ReturnType<typeof referenceRows> {
  const [first] = faults;
  if (!first) return [];
  const entry = schemaNodeOf(documentedFault(first));
  const others = Object.keys(entry.properties ?? {}).filter((key) => key !== 'fault' && !commonFaultKeys.includes(key));
  const rows = referenceRows(without(entry, others), '');
  return rows.map((row) =>
    row.key === 'fault'
      ? { ...row, type: faults.map((fault) => `\`${fault.kind}\``).join(', '), meaning: 'What happens.', example: first.kind }
      : row,
  );
}

function faultSection(fault: FaultSchema): string[] {
  const rows = referenceRows(without(schemaNodeOf(documentedFault(fault)), ['fault', ...commonFaultKeys]), '');
  const acts = {
    process: 'Acts on processes that kvbench started (a lab).',
    proxy: 'Acts on proxies between clients and nodes.',
    mesh: 'Acts on proxies between clients and nodes and on those of a link mesh between the nodes of a lab.',
    none: '',
  }[fault.needs];
  return [
    `### \`fault: ${fault.kind}\``,
    `${fault.summary} ${acts} Heal: ${fault.healSummary} \`node\` is ${fault.selector === 'none' ? 'not given' : fault.selector}.`,
    `\`\`\`yaml\n- ${fault.example}\n\`\`\``,
    rows.length > 0 ? table(rows) : 'It has no keys of its own.',
  ];
}

function randomSection(faults: readonly FaultSchema[]): string[] {
  const node = schemaNodeOf(documentedRandom);
  const kinds = (topology: string): string =>
    kindsForRandom(faults, topology)
      .map(({ kind }) => `\`${kind}\``)
      .join(', ');
  return [
    '### `fault: random`',
    `${node.description ?? ''} What is drawn stands in the plan: \`--dry-run\` shows it, and the same seed draws the same. Without \`from\`, on a cluster: ${kinds('cluster')}.`,
    '```yaml\n- { fault: random, at: 5s, every: 3s..6s, last: 1s..3s, from: [kill, pause, { fault: client-pause, commands: all }] }\n```',
    table(referenceRows(without(node, ['fault']), '')),
  ];
}

function toxicSection(faults: readonly FaultSchema[]): string[] {
  const schema = toxicFileSchema(faults);
  if (!schema) return [];
  const keys = Object.keys(schema.shape).map((key) => `\`${key}\``);
  return [
    '## A toxic file',
    `A network condition under a name, for \`use:\` of a \`toxic\` fault. Its keys are ${keys.join(', ')}, as explained there.`,
  ];
}

const selectorMeanings: Record<(typeof selectorForms)[number], string> = {
  'master[0]': 'the i-th master, by lowest slot',
  'replica[0]': 'the i-th replica, by start order',
  'node[0]': 'the i-th server that holds data, by start order, whatever its role',
  'master of slot 0': 'the master that serves a slot (0 to 16383)',
  'master of key user:1': 'the master that serves a key; hash tags count',
  'replica of master[0]': 'a replica of the i-th master',
  'random master': 'any master; the plan holds the draw, so the same seed hits the same one',
  'random replica': 'any replica, drawn likewise',
  'all replicas': 'every replica at once',
  'all masters': 'every master at once',
  'sentinel[0]': 'the i-th sentinel, by start order',
  'all sentinels': 'every sentinel at once',
};

const selectorTable = ['| selector | hits |', '|---|---|', ...selectorForms.map((form) => `| \`${form}\` | ${selectorMeanings[form]} |`)].join('\n');

const thresholdText = `A map from a metric with tags to one expression or a list of them: \`"latency{op:get,during:before}": ["p(99)<50ms"]\`. All must hold for exit code 0; a metric without
samples fails. Instead of an expression, \`{ threshold: "rate>0.5", abortOnFail: true, delayAbortEval: 10s }\` ends the run as soon as it does not hold (\`delayAbortEval\`: not before that time).
\`objective\` takes expressions only, and says what counts as degraded.

An expression is an aggregate, one of \`< <= > >= == !=\`, and a limit. For times the limit is a duration, and a bare number is milliseconds; for ratios it is 0 to 1 or a percentage.
Tags combine with AND: \`op: ${'get|set|incr|del'}\` or the name of a custom command, \`phase: NAME\`, \`during: before|fault|recovery|after\`, \`shard: N|any|all\`, \`fault: NUMBER\`.
States that a fault can wait for (\`after.state\`): ${faultStates.map((state) => `\`${state}\``).join(', ')}.`;

const gateText = `A map from a metric with tags to how much worse a candidate may be than the base it is compared with, or a list of such rules: \`"latency{op:get,phase:steady}": "p(99) +10%"\`. \`kvbench gate\` and
\`kvbench diff --gate\` take the rules of the candidate's profile when no \`--rule\` is given. A tolerance is a percentage of the base (of shares: percentage points) or an amount in the unit of the metric
(\`+500ms\`, \`-100/s\`, \`+0\`); its sign is the direction in which the metric gets worse. How rules are judged: docs/comparing.md.`;

function gateTable(): string {
  const rows = Object.entries(gateMetrics).map(([name, { betterIs, aggregates, tags }]) => {
    const shown = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(' ');
    return `| \`${name}\` | ${gateMeanings[name as GateMetricName]} | ${shown(aggregates)} | \`${betterIs === 'lower' ? '+' : '-'}\` | ${shown(tags)} |`;
  });
  return ['| metric | what it is | figures | worse is | tags |', '|---|---|---|---|---|', ...rows].join('\n');
}

const variantsText = `Name → what is different there, in the keys of the profile (\`description\`, \`target\`, \`toxiproxy\`, \`load\`, \`objective\`, \`chaos\`, \`thresholds\`, \`gate\`, \`allow\`). Merged key by key as a JSON Merge
Patch (RFC 7386): maps merge, \`null\` takes a key away, anything else replaces; a map with numbers for keys reaches into a list (\`load: { phases: { 1: { rate: 8000/s } } }\`).
The profile without any variant must be valid too. \`--set\` goes over what a variant says; \`--set variants.NAME.…\` changes one variant.

\`\`\`yaml
variants:
  none: {}
  aof-always: { target: { config: { appendonly: "yes", appendfsync: always } } }
\`\`\`

\`kvbench run PROFILE\` plays them in turn, \`--repeat N\` times over (\`--variant NAME\` picks some), each time on a target brought up afresh: first in an order drawn from the seed, then turned by one
place each round, so that a drift of the machine is no variant's doing. All runs have the same seed, and so the same operations.`;

const metricMeanings: Record<(typeof metricNames)[number], string> = {
  latency: 'response time: from the intended start to the reply',
  service: 'from sending to the reply',
  queue: 'waiting for a free slot before sending',
  dispatch_lag: 'how late the generator itself was',
  throughput: 'operations answered ok, per second',
  availability: 'ok / planned (closed loop: ok / total)',
  errors: 'operations that did not end ok: their number, or their share',
  gap: 'times in which a shard answered nothing although it was asked',
  rto: 'from the injection of a fault to the recovery of the clients',
  lost_writes: 'acknowledged writes that are gone, lost increments of counters among them (needs `load.ledger`)',
};

const gateMeanings: Record<GateMetricName, string> = {
  ...metricMeanings,
  gap: 'the longest (or how many) times in which a shard answered nothing although it was asked',
  detection: 'from the injection of a fault to its detection',
  promotion: 'from the detection to the promotion of a replica',
  p99_recovery: 'from the injection until p99 is back',
  redundancy: 'from the injection until replicas are in sync again',
};

function metricTable(): string {
  const rows = metricNames.map((name) => {
    const { aggregates, tags } = metricRules[name];
    const shown = aggregates.map((kind) => `\`${kind === 'percentile' ? 'p(N)' : kind}\``).join(' ');
    return `| \`${name}\` | ${metricMeanings[name]} | ${shown} | ${tags.map((tag) => `\`${tag}\``).join(' ')} |`;
  });
  return ['| metric | what it is | aggregates | tags |', '|---|---|---|---|', ...rows].join('\n');
}

const outsideText = `## Values from outside

\`--set PATH=VALUE\` sets any value: keys joined by dots, list entries by number from 0, the value as YAML. It reaches into the files that the profile names.

\`\`\`
kvbench run failover --set load.phases.1.rate=8000/s --set target.config.cluster-node-timeout=5000
kvbench run failover --set load.workload.values.size=1KiB --set 'thresholds.latency{op:get}=p(99)<20ms' --set 'chaos=[]'
\`\`\`

A key that holds a dot goes in double quotes: \`--set 'target.config."a.b"=1'\`. An environment variable does the same: \`KVBENCH_SET_\` and the path with \`__\` for the dots,
e.g. \`KVBENCH_SET_load__phases__1__rate=8000/s\`. Names of keys are found whatever their case, with \`_\` for \`-\` (\`KVBENCH_SET_LOAD__THREADS=4\`).
The order: the file, then variables in the order of their names, then \`--set\` from left to right; the last one wins.`;

function without(node: SchemaNode | undefined, keys: readonly string[]): SchemaNode {
  const kept = Object.entries(node?.properties ?? {}).filter(([key]) => !keys.includes(key));
  return { ...node, properties: Object.fromEntries(kept) };
}
