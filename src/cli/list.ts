/** `kvbench list`: what can be run, what can be broken, what has been run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../base/errors.js';
import { faultRegistry } from '../chaos/registry.js';
import { listShipped } from '../profile/shipped.js';
import type { GroupRecord, GroupSummary } from '../result/group.js';
import type { RunRecord } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import type { ListArguments } from './main.js';
import type { Terminal } from './terminal.js';

const sections = ['profiles', 'workloads', 'toxics', 'faults', 'runs'] as const;
type Section = (typeof sections)[number];

export async function list(args: ListArguments, terminal: Terminal): Promise<ExitCode> {
  const wanted = args.what === undefined ? sections : [args.what];
  for (const section of wanted) {
    const rows = rowsOf(section);
    if (wanted.length > 1) terminal.data(`${section}:`);
    if (rows.length === 0) terminal.data(`  none${section === 'runs' ? ' yet in reports/: start with kvbench run failover' : ''}`);
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, description] of rows) terminal.data(`  ${name.padEnd(width)}  ${description}`);
  }
  return ExitCode.passed;
}

function rowsOf(section: Section): [name: string, description: string][] {
  switch (section) {
    case 'profiles':
    case 'workloads':
    case 'toxics':
      return listShipped(section).map((shipped) => [shipped.name, shipped.description]);
    case 'faults':
      return faultRegistry.map((fault) => [fault.kind, `${fault.summary} Heal: ${fault.healSummary}`]);
    case 'runs':
      return runs('reports');
  }
}

/** Newest first. A folder that is not a run is passed over; one whose summary is missing was cut off. */
function runs(parent: string): [string, string][] {
  if (!existsSync(parent)) return [];
  const rows: [string, string][] = [];
  for (const name of readdirSync(parent).sort().reverse()) {
    const run = readJson<RunRecord>(join(parent, name, 'run.json'));
    if (run === null) {
      const group = readJson<GroupRecord>(join(parent, name, 'group.json'));
      if (group !== null) rows.push([join(parent, name), groupText(group, readJson<GroupSummary>(join(parent, name, 'summary.json')))]);
      continue;
    }
    const summary = readJson<Summary>(join(parent, name, 'summary.json'));
    rows.push([
      join(parent, name),
      summary === null ? `${run.name}: cut off (kvbench report shows what there is)` : `${run.name}: ${summary.verdict}. ${summary.sentence}`,
    ]);
  }
  return rows;
}

function groupText(group: GroupRecord, summary: GroupSummary | null): string {
  if (summary === null) return `${group.name}: cut off (kvbench report shows what there is)`;
  const what = summary.kind === 'capacity' ? `${summary.trials.length} trials` : `${summary.runs.length} runs`;
  return `${group.name}: ${summary.verdict}, ${what}. ${summary.sentence}`;
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}
