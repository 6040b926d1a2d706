import assert from 'node:assert/strict';
import { test } from 'node:test';
import calculateSlot from 'cluster-key-slot';
import { impossibleIn, type LabShape, parseNodeSelector, selectorForms } from './nodeSelector.js';

test('every form of selector is understood', () => {
  const cases: [text: string, expected: object][] = [
    ['master[2]', { by: 'master', index: 2 }],
    ['replica[0]', { by: 'replica', index: 0 }],
    ['node[11]', { by: 'node', index: 11 }],
    ['master of slot 16383', { by: 'masterOfSlot', slot: 16383 }],
    ['master of key 123456789', { by: 'masterOfSlot', slot: 12739 }],
    ['master of key {user}:1', { by: 'masterOfSlot', slot: calculateSlot('user') }],
    ['master of key a  b', { by: 'masterOfSlot', slot: calculateSlot('a  b') }],
    ['replica of master[1]', { by: 'replicaOfMaster', index: 1 }],
    ['random master', { by: 'randomMaster' }],
    ['random  replica', { by: 'randomReplica' }],
    ['all replicas', { by: 'allReplicas' }],
    ['all masters', { by: 'allMasters' }],
  ];
  for (const [text, expected] of cases) {
    const { text: _text, ...rest } = parseNodeSelector(text) as { text: string };
    assert.deepEqual(rest, expected, text);
  }
  for (const form of selectorForms) assert.ok(!('problem' in parseNodeSelector(form)), form);
});

test('what selects nothing is refused with the nearest form', () => {
  const problemOf = (text: string): string => (parseNodeSelector(text) as { problem: string }).problem;
  assert.match(problemOf('mastr[0]'), /did you mean "master\[0\]"/);
  assert.match(problemOf('master[-1]'), /selects no node/);
  assert.match(problemOf('master of slot 99999'), /slots go from 0 to 16383/);
  assert.match(problemOf(''), /selects no node/);
});

test('nodes that a lab can never have are impossible', () => {
  const cluster = { topology: 'cluster', masters: 3, replicasPerMaster: 1, sentinels: 0 } as const;
  const bare = { topology: 'cluster', masters: 3, replicasPerMaster: 0, sentinels: 0 } as const;
  const watched = { topology: 'sentinel', masters: 1, replicasPerMaster: 2, sentinels: 3 } as const;
  const alone = { topology: 'standalone', masters: 1, replicasPerMaster: 0, sentinels: 0 } as const;
  const cases: [text: string, lab: LabShape, possible: boolean][] = [
    ['master[2]', cluster, true],
    ['master[3]', cluster, false],
    ['replica[2]', cluster, true],
    ['replica[3]', cluster, false],
    ['node[5]', cluster, true],
    ['node[6]', cluster, false],
    ['replica of master[2]', cluster, true],
    ['replica of master[3]', cluster, false],
    ['replica of master[0]', bare, false],
    ['random replica', bare, false],
    ['all replicas', alone, false],
    ['master of slot 0', alone, false],
    ['master[0]', alone, true],
    ['sentinel[2]', watched, true],
    ['sentinel[3]', watched, false],
    ['all sentinels', watched, true],
    ['node[3]', watched, false],
    ['master of slot 0', watched, false],
    ['sentinel[0]', cluster, false],
    ['all sentinels', alone, false],
    ['all masters', alone, true],
  ];
  for (const [text, lab, possible] of cases) {
    const selector = parseNodeSelector(text);
    assert.ok(!('problem' in selector));
    assert.equal(impossibleIn(selector, lab) === undefined, possible, `${text} in ${JSON.stringify(lab)}`);
  }
});
