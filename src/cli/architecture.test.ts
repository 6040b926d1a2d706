/** Holds ARCHITECTURE.md against the code: the import table, and the files it names. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';

const src = join(packageRoot, 'src');
const page = readFileSync(join(packageRoot, 'ARCHITECTURE.md'), 'utf8');

function importTable(): Map<string, Set<string>> {
  const table = new Map<string, Set<string>>();
  for (const [, folder, allowed] of page.matchAll(/^\| (\w+) \| [^|]+ \|([^|]*)\|$/gm)) {
    if (folder === undefined || folder === 'folder') continue;
    table.set(
      folder,
      new Set(
        (allowed ?? '')
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean),
      ),
    );
  }
  return table;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) => path ?? '');
}

test('no folder imports another than the table allows', () => {
  const table = importTable();
  assert.ok(table.size >= 12, 'the table of ARCHITECTURE.md was not found');
  const violations: string[] = [];
  for (const file of sources(src)) {
    const from = relative(src, file).split('/')[0] ?? '';
    if (from === 'e2e' || from === 'setup') continue;
    const allowed = table.get(from);
    assert.ok(allowed, `src/${from} has no row in the table of ARCHITECTURE.md`);
    for (const path of importsOf(file)) {
      const to = relative(src, resolve(dirname(file), path)).split('/')[0] ?? '';
      if (to !== from && to !== '..' && !allowed.has(to)) violations.push(`${relative(src, file)} imports ${path}`);
    }
  }
  assert.deepEqual(violations, []);
});

test('ARCHITECTURE.md, README.md and CONTRIBUTING.md name no file that is gone', () => {
  const gone: string[] = [];
  for (const name of ['ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md']) {
    const text = readFileSync(join(packageRoot, name), 'utf8');
    for (const [, path] of text.matchAll(/`((?:src|docs|profiles|workloads|toxics)\/[\w./-]+)`/g)) {
      if (path !== undefined && !existsSync(join(packageRoot, path))) gone.push(`${name}: ${path}`);
    }
  }
  assert.deepEqual(gone, []);
});

test('only the clock reads time and only the random module draws', () => {
  const offenders: string[] = [];
  for (const file of sources(src)) {
    const path = relative(src, file);
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    if (path !== 'base/clock.ts' && /\b(Date\.now|performance\.now|process\.hrtime|new Date\(\))/.test(text)) offenders.push(`${path} reads time`);
    if (/\bMath\.random\b/.test(text)) offenders.push(`${path} draws`);
  }
  assert.deepEqual(offenders, []);
});
