/** Undo journals of labs in the background: what is outside of a lab that has gone is undone, what was in it is crossed out. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isOfGoneLab, journalsOfLab, settleJournalsOf } from './labJournals.js';

const runtime = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
after(() => rmSync(runtime, { recursive: true, force: true }));

test('of a lab that has gone only a program of the user’s is left to run; other labs are left alone', async () => {
  const owner = { pid: 2 ** 22 + 1, started: 'another boot' };
  const mark = join(runtime, 'mark');
  const journal = (name: string, lab: string, argv: string[]): void => {
    const lines = [
      { head: { formatVersion: 1, owner, run: name, folder: `lab:${lab}`, access: null, lab } },
      { id: 1, step: { kind: 'command', node: 'n1', address: '127.0.0.1:1', args: ['CONFIG', 'SET', 'maxmemory', '0'] } },
      { id: 2, step: { kind: 'openProxy', url: 'http://127.0.0.1:1', proxy: 'p' } },
      { id: 3, step: { kind: 'exec', argv } },
    ];
    writeFileSync(join(runtime, `${name}.undo.ndjson`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
  journal('one', 'a', ['touch', mark]);
  journal('two', 'b', ['touch', mark]);
  journal('three', 'c', ['false']);
  const [found] = await journalsOfLab(runtime, 'a');
  assert.ok(found && isOfGoneLab(runtime, found));

  assert.deepEqual(await settleJournalsOf(runtime, 'a'), []);
  assert.ok(existsSync(mark));
  assert.deepEqual(readdirSync(runtime).sort(), ['mark', 'three.undo.ndjson', 'two.undo.ndjson']);
  assert.deepEqual(await settleJournalsOf(runtime, 'c'), ['run false: it ended with code 1']);
  assert.ok(existsSync(join(runtime, 'three.undo.ndjson')), 'what failed can be tried again');
});
