/** A lab in the background: attached to, signalled, started again, taken down; names and states of labs that have gone. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { KvbenchError } from '../base/errors.js';
import { labKeeperProgram } from '../chaos/mesh/keptNetwork.js';
import type { LabPlan } from '../plan/plan.js';
import { attachLab, bringUpKeptLab, requireLab } from './keptLab.js';
import { createLabState, type LabState, labNames, readLabState, removeLabState } from './labState.js';
import type { ProcessChange } from './target.js';

const temporary = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
const runtime = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
after(() => {
  for (const folder of [temporary, runtime]) rmSync(folder, { recursive: true, force: true });
});
const plan: LabPlan = { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'auto', config: {} };

test('a kept lab is a target for whoever comes, and is gone after takeDown', async () => {
  process.env.TMPDIR = temporary;
  const texts: string[] = [];
  await bringUpKeptLab(labKeeperProgram, { name: 'a', runtime, plan }, (text) => texts.push(text), new AbortController().signal);
  let down = false;
  try {
    assert.match(texts.join(), /Starting 1 /);
    const [first, second] = [await attachLab(runtime, 'a'), await attachLab(runtime, 'a')];
    const changes: ProcessChange[] = [];
    second.processes.onChange((change) => changes.push(change));
    const pid = first.processes.pidOf('n1');
    assert.ok(pid);
    assert.equal((await first.currentView()).nodes[0]?.role, 'master');
    await first.processes.signal('n1', 'SIGKILL');
    await first.processes.waitForExit('n1', 3_000_000);
    await assert.rejects(
      first.processes.signal('n1', 'SIGSTOP'),
      (error: KvbenchError) => error.code === 'FAULT_FAILED' && /not running/.test(error.message),
    );
    await first.processes.start('n1');
    assert.notEqual(first.processes.pidOf('n1'), pid);
    assert.deepEqual(
      changes.map(({ state }) => state),
      ['exited', 'started'],
      'others hear of it',
    );
    await assert.rejects(
      bringUpKeptLab(labKeeperProgram, { name: 'a', runtime, plan }, () => {}, new AbortController().signal),
      (error: KvbenchError) => error.code === 'LAB_FAILED' && /a lab named a runs already/.test(error.message),
    );
    await first.close();
    assert.equal((await second.currentView()).nodes[0]?.reachable, true, 'leaving it does not end it');
    await second.takeDown();
    down = true;
    assert.deepEqual(labNames(runtime), []);
    assert.deepEqual(readdirSync(runtime), []);
    assert.deepEqual(readdirSync(temporary), []);
  } finally {
    if (!down) await (await attachLab(runtime, 'a')).takeDown();
  }
});

test('a lab that cannot start says why, and leaves nothing', async () => {
  process.env.TMPDIR = temporary;
  await assert.rejects(
    bringUpKeptLab(
      labKeeperProgram,
      { name: 'b', runtime, plan: { ...plan, config: { 'no-such-thing': '1' } } },
      () => {},
      new AbortController().signal,
    ),
    (error: KvbenchError) => error.code === 'LAB_FAILED' && /does not accept its configuration/.test(error.message),
  );
  assert.deepEqual(labNames(runtime), []);
  assert.deepEqual(readdirSync(temporary), []);
});

test('the state of a keeper that has gone is recognised, and goes with its folder', () => {
  process.env.TMPDIR = temporary;
  const folder = join(temporary, 'kvbench-lab-left');
  mkdirSync(folder);
  const state: LabState = {
    formatVersion: 1,
    name: 'gone',
    keeper: { pid: 2 ** 22 + 1, started: 'another boot' },
    phase: 'ready',
    plan,
    folder,
    nodes: [],
    record: null,
  };
  assert.equal(createLabState(runtime, state), true);
  assert.equal(createLabState(runtime, state), false, 'a name is taken once');
  assert.throws(() => requireLab(runtime, 'gone'), /does not run any more: its keeper \(process \d+\) has gone/);
  assert.equal(readLabState(runtime, 'gone'), null);
  assert.equal(existsSync(folder), false);
  const elsewhere = mkdtempSync(join(runtime, 'kvbench-lab-'));
  createLabState(runtime, { ...state, folder: elsewhere });
  removeLabState(runtime, 'gone');
  assert.equal(existsSync(elsewhere), true, 'only folders of supervisors are removed');
  rmSync(elsewhere, { recursive: true });
  assert.throws(() => requireLab(runtime, 'gone'), /no lab named gone runs/);
  assert.throws(() => requireLab(runtime, '../x'), /no name of a lab/);
});
