import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import { operationsOfPlan } from '../plan/operations.js';
import { templateOf } from './customCommand.js';
import { testFaults } from './faults.test.support.js';
import { profileFromObject, type ResolvedProfile } from './loadProfile.js';
import { ProfileError } from './problems.js';
import { quickPlaces, quickProfile } from './quickProfile.js';

const targets = {
  standalone: { topology: 'standalone' },
  cluster: { topology: 'cluster', masters: 3 },
  external: { topology: 'external', url: 'redis://h' },
} as const;

function resolved(workload: unknown, more: { target?: keyof typeof targets; thresholds?: unknown } = {}): ResolvedProfile {
  const profile = { target: targets[more.target ?? 'standalone'], load: { workload, phases: [{ duration: '1s', rate: '1/s' }] } };
  const whole = more.thresholds === undefined ? profile : { ...profile, thresholds: more.thresholds };
  return profileFromObject(whole, 'p', '.', { faults: testFaults, sets: [], env: {} });
}

function problemsOf(...given: Parameters<typeof resolved>): string {
  try {
    resolved(...given);
  } catch (error) {
    if (error instanceof ProfileError) return error.message;
    throw error;
  }
  return 'no problem';
}

const one = (command: string, more: object = {}): unknown => ({ operations: { x: 1 }, commands: { x: { command, ...more } } });

test('a plan holds the parsed command, and its operations come behind the built-in ones', () => {
  const plan = makePlan(
    resolved({
      operations: { get: 5, touch: 2, tag: 3 },
      commands: { touch: { command: 'expire __key__ 60' }, tag: { command: 'JSON.SET __key__ $ "{\\"v\\":\\"__value__\\"}"', kind: 'read' } },
    }),
  );
  assert.deepEqual(operationsOfPlan(plan), ['get', 'set', 'incr', 'del', 'touch', 'tag']);
  const [touch, tag] = plan.load.workload.commands ?? [];
  const literal = (bytes: string): unknown => ({ kind: 'literal', bytes });
  const args = [literal('expire'), { kind: 'key' }, literal('60')];
  assert.deepEqual(touch, { name: 'touch', text: 'expire __key__ 60', kind: 'write', weight: 2, args });
  assert.deepEqual(tag?.args, [literal('JSON.SET'), { kind: 'key' }, literal('$'), { kind: 'value', before: '{"v":"', after: '"}' }]);
  assert.deepEqual([tag?.kind, tag?.weight], ['read', 3]);
  assert.equal(JSON.stringify(JSON.parse(JSON.stringify(plan))), JSON.stringify(plan), 'pure data');
  assert.equal('commands' in makePlan(resolved({ operations: { get: 1 } })).load.workload, false);
});

test('what is wrong with commands and their weights is told', () => {
  for (const [workload, pattern] of [
    [
      { operations: { get: 1, tuch: 1 }, commands: { touch: { command: 'PING' } } },
      /unknown key "tuch" in load.workload.operations; did you mean "touch"\?/,
    ],
    [
      { operations: { get: 1 }, commands: { touch: { command: 'PING' } } },
      /touch: would never be sent; give it a weight, e.g. operations: \{ touch: 10 \}/,
    ],
    [{ operations: { touch: 0 }, commands: { touch: { command: 'PING' } } }, /a workload without weights does nothing/],
    [{ operations: { get: 1, touch: -1 }, commands: { touch: { command: 'PING' } } }, /touch: -1 is negative/],
    [{ operations: { Touch: 1 }, commands: { Touch: { command: 'PING' } } }, /Touch: is no name of an operation: small letters/],
    [{ operations: { get: 1 }, commands: { get: { command: 'PING' } } }, /get: is taken; choose another name/],
    [{ operations: { all: 1 }, commands: { all: { command: 'PING' } } }, /all: is taken/],
    [{ operations: { x: 1 }, commands: { x: {} } }, /missing key "command" in load.workload.commands.x/],
    [one('PING', { kind: 'reed' }), /kind: "reed" is unknown; did you mean "read"\?/],
    [one('PING', { comand: 1 }), /unknown key "comand" in load.workload.commands.x; did you mean "command"\?/],
    [one('   '), /command: there is no command in it/],
    [one('__key__ GET'), /"__key__" is no name of a command/],
    [one('SET a__key__ 1'), /__key__ must be an argument of its own/],
    [one('SET __key__ __value____value__'), /one argument takes one __value__/],
    [one('SET __key__ "x'), /the quote " at character 13 is not closed/],
  ] as const) {
    assert.match(problemsOf(workload), pattern, JSON.stringify(workload));
  }
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`c${i}`, { command: 'PING' }]));
  const weights = Object.fromEntries(Object.keys(many).map((name) => [name, 1]));
  assert.match(problemsOf({ operations: weights, commands: many }), /there are 17; at most 16 are taken/);
});

test('commands that break one reply per command are refused everywhere', () => {
  for (const command of [
    'subscribe a',
    'MONITOR',
    'MULTI',
    'EXEC',
    'WATCH __key__',
    'BLPOP __key__ 0',
    'WAIT 1 0',
    'CLIENT REPLY OFF',
    'client kill TYPE normal',
    'HELLO 3',
    'AUTH x',
    'SELECT 1',
    'QUIT',
    'RESET',
    'SHUTDOWN',
    'XREAD BLOCK 0 STREAMS __key__ $',
  ]) {
    assert.match(problemsOf(one(command)), /can not be a load: it|can not be a load: a transaction/, command);
  }
  for (const command of ['CLIENT ID', 'XREAD STREAMS __key__ 0', 'LPOP __key__', 'FLUSHALL'])
    assert.equal(problemsOf(one(command)), 'no problem', command);
});

test('a guest flushes nothing and changes no server; a cluster has to know where a command goes', () => {
  for (const command of [
    'FLUSHALL',
    'flushdb ASYNC',
    'SWAPDB 0 1',
    'CONFIG SET maxmemory 1',
    'SCRIPT FLUSH',
    'DEBUG SLEEP 1',
    'EVAL "return redis.call(\'FlushAll\')" 0',
  ]) {
    assert.match(problemsOf(one(command), { target: 'external' }), /is refused: .* external/, command);
    assert.equal(problemsOf(one(command)), 'no problem', command);
  }
  assert.equal(problemsOf(one('SCRIPT EXISTS x'), { target: 'external' }), 'no problem');
  assert.match(problemsOf(one('PING'), { target: 'cluster' }), /x has no __key__, and on a cluster the key says which node/);
  assert.equal(problemsOf(one('PING __key__'), { target: 'cluster' }), 'no problem');
});

test('thresholds know the commands of the workload', () => {
  const workload = { operations: { get: 1, touch: 1, idle: 0 }, commands: { touch: { command: 'PING' }, idle: { command: 'PING' } } };
  const said = (op: string): string => problemsOf(workload, { thresholds: { [`latency{op:${op}}`]: 'p(99)<5ms' } });
  assert.equal(said('touch'), 'no problem');
  assert.match(said('tuch'), /unknown operation "tuch" in latency\{op:tuch\}; did you mean "touch"\?/);
  assert.match(said('idle'), /the workload has no idle, so this would always fail/);
});

test('memtier’s word for a value is taken', () => {
  assert.deepEqual(templateOf('SET __key__ __data__'), { ...templateOf('SET __key__ __value__'), words: ['SET', '__key__', '__data__'] });
});

test('quick runs take commands with their ratios, under names of their own', () => {
  const flags = { url: 'redis://h', command: ['SETEX __key__ 60 __data__', 'SET __key__ 1', 'setex __key__ 5 x'], commandRatio: [3, 1, 2] };
  const resolvedQuick = profileFromObject(quickProfile(flags), 'command line', '.', { faults: testFaults, sets: [], env: {} }, quickPlaces(flags));
  const { commands, preload } = makePlan(resolvedQuick).load.workload;
  assert.deepEqual(
    commands?.map(({ name, weight }) => [name, weight]),
    [
      ['setex', 3],
      ['custom-set', 1],
      ['setex-2', 2],
    ],
  );
  assert.equal(preload, false);
  const wrong = { url: 'redis://h', command: ['MONITOR'] };
  assert.throws(
    () => profileFromObject(quickProfile(wrong), 'command line', '.', { faults: testFaults, sets: [], env: {} }, quickPlaces(wrong)),
    /^ProfileError: --command \(monitor\): command: MONITOR can not be a load/,
  );
});
