/** What was under test and how: topology before and after, the resolved profile, metadata. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { RunData } from '../result/readRun.js';
import type { RunTargetRecord } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { bytesOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

export function topologySection({ run }: RunData, { target }: Summary): Html {
  if (target === null && run.target === null) {
    return html`<section id="topology"><h2>Topology</h2><p class="none">The target never came up.</p></section>`;
  }
  const before = target?.nodes ?? run.target?.nodes ?? [];
  const after = new Map((target?.nodesAfter ?? []).map((node) => [node.id, node]));
  const shardOf = new Map(run.target?.nodes.map((node) => [node.id, node.shard]));
  const columns: Column[] = [
    { title: 'Node' },
    { title: 'Address' },
    { title: 'Shard', numeric: true, hint: 'before the run' },
    { title: 'Role before' },
    { title: 'Slots before' },
    { title: 'Role after' },
    { title: 'Slots after' },
    { title: 'Keys before', numeric: true, hint: 'before t0, after filling' },
    { title: 'Keys after', numeric: true },
  ];
  const added = [...after.values()].filter(({ id }) => !before.some((node) => node.id === id));
  const rows = [
    ...before.map((node) => ({ was: node, is: after.get(node.id), id: node.id })),
    ...added.map((node) => ({ was: undefined, is: node, id: node.id })),
  ].map(({ was, is, id }): HtmlValue[] => [
    id,
    (is ?? was)?.address,
    shardOf.get(id) ?? '–',
    was?.role ?? '–',
    slotsOf(was?.slots),
    changed(is?.role ?? '–', was?.role !== is?.role && is !== undefined),
    changed(slotsOf(is?.slots), is !== undefined && slotsOf(was?.slots) !== slotsOf(is.slots)),
    keysOf(target?.keysPerNodeBefore?.[id]),
    keysOf(target?.keysPerNode[id]),
  ]);
  return html`<section id="topology"><h2>Topology</h2>${after.size === 0 ? html`<p class="note">The target could not be asked after the run.</p>` : ''}${table(columns, rows)}${settings(run.target)}</section>`;
}

function slotsOf(slots: readonly string[] | undefined): string {
  return slots === undefined || slots.length === 0 ? '–' : slots.join(', ').replaceAll('-', '–');
}

/** Said with an arrow as well: colour alone is not seen by everyone. */
function changed(text: string, isChanged: boolean): HtmlValue {
  return isChanged
    ? html`<span class="changed"><span aria-hidden="true">→ </span>${text}<span class="visually-hidden"> (changed)</span></span>`
    : text;
}

function keysOf(count: number | undefined): HtmlValue {
  if (count === undefined) return '–';
  return count < 0 ? html`<span title="could not be asked">?</span>` : formatCount(count);
}

function settings(target: RunTargetRecord | null): Html {
  const { sentinel } = target ?? {};
  const judging: [string, string][] =
    sentinel === undefined
      ? []
      : [
          ['sentinel down-after-milliseconds', String(sentinel.downAfterMs)],
          ['sentinel failover-timeout', String(sentinel.failoverTimeoutMs)],
          ['sentinel quorum', `${sentinel.quorum} of ${sentinel.count}`],
        ];
  const entries = [...judging, ...Object.entries(target?.settings ?? {})];
  if (entries.length === 0) return html``;
  const rows = entries.map(([name, value]): HtmlValue[] => [
    html`<code>${name}</code>`,
    value === '' ? html`<span class="sub">empty</span>` : html`<code>${value}</code>`,
  ]);
  return html`<details><summary>Settings of the servers</summary>${table([{ title: 'Setting' }, { title: 'Value' }], rows)}</details>`;
}

export function profileSection({ run }: RunData): Html {
  return html`<section id="profile"><h2>Profile</h2>${run.plan.description === '' ? '' : html`<p>${run.plan.description}</p>`}<details><summary>As it was resolved: every default filled in, every random choice drawn</summary><pre class="json" tabindex="0"><code>${JSON.stringify(run.plan, null, 2)}</code></pre></details></section>`;
}

export function metadataSection({ run }: RunData, summary: Summary): Html {
  const { machine, fingerprint, target } = run;
  const rows: [string, HtmlValue][] = [
    ['run', run.id],
    ['started', run.startedAt],
    ['command line', html`<code>kvbench ${run.argv.map(shellWord).join(' ')}</code>`],
    ['seed', html`<code>${summary.seed}</code>`],
    ['kvbench', run.kvbenchVersion],
    ['server', target === null ? 'unknown' : `${target.server} ${target.version}, ${target.topology}${target.proxied ? ', behind proxies' : ''}`],
    ['machine', `${machine.cpus} × ${machine.cpuModel}, ${bytesOf(machine.memoryBytes)}, ${machine.platform}, Node.js ${machine.node}`],
    ...Object.entries(fingerprint).map(([name, value]): [string, HtmlValue] => [`fingerprint: ${name}`, html`<code>${value}</code>`]),
    ['verdict', `${summary.verdict}, exit code ${summary.exitCode}`],
    ['result format', `version ${run.formatVersion}`],
  ];
  return html`<section id="metadata"><h2>This run</h2><dl class="metadata">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

/** As one would have to type it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
