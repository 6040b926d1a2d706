/** The command line as a person meets it: help, wrong words, wrong profiles; one clear message each, the right exit code, nothing started. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { runKvbench, temporaryFolder, writeProfile } from './harness.js';

test('help shows examples, and each command has its own', async () => {
  const cwd = temporaryFolder();
  for (const args of [['--help'], ['run', '--help'], ['validate', '--help'], ['report', '--help'], ['list', '--help']]) {
    const finished = await runKvbench(args, { cwd });
    assert.equal(finished.code, 0);
    assert.match(finished.stdout, /Examples:/, args.join(' '));
  }
});

test('a mistyped command, flag or shipped name gets a suggestion and 104', async () => {
  const cwd = temporaryFolder();
  const cases: [string[], RegExp][] = [
    [['rum', 'x'], /run/],
    [['run', '--dryrun', 'failover'], /--dry-run/],
    [['run', 'failovr'], /failover/],
    [['run'], /profile/],
    [[], /command/],
    [['list', 'fault'], /faults/],
    [['run', 'failover', '--rate', '5/s'], /--set/],
    [['run', 'failover', '--command', 'PING'], /--command belongs to a quick run/],
    [
      ['run', '--url', 'redis://127.0.0.1:1', '--command', 'PING', '--command-ratio', '1', '--command-ratio', '2'],
      /2 --command-ratio for 1 --command/,
    ],
    [['run', '--url', 'redis://127.0.0.1:1', '--command', 'PING', '--command', 'FLUSHALL'], /--command \(flushall\): .*FLUSHALL is refused/],
  ];
  for (const [args, expected] of cases) {
    const finished = await runKvbench(args, { cwd });
    assert.equal(finished.code, 104, `${args.join(' ')}: ${finished.stderr}`);
    assert.match(finished.stderr, expected);
    assert.doesNotMatch(finished.stderr, /\n\s+at /);
  }
});

test('validate, list, schema, doctor and --dry-run answer and start nothing', { timeout: 120_000 }, async () => {
  const cwd = temporaryFolder();
  const profiles = readdirSync(join(packageRoot, 'profiles')).map((name) => join(packageRoot, 'profiles', name));
  const validated = await runKvbench(['validate', ...profiles], { cwd });
  assert.equal(validated.code, 0, validated.stderr);
  const listed = await runKvbench(['list'], { cwd });
  for (const name of [
    'failover',
    'latency-spike',
    'steady',
    'session-cache',
    'counters',
    'slow-wan',
    'flapping',
    'kill',
    'pause',
    'restart',
    'toxic',
  ])
    assert.match(listed.stdout, new RegExp(`\\b${name}\\b`));
  const schema = await runKvbench(['schema'], { cwd });
  assert.equal((JSON.parse(schema.stdout) as { type: string }).type, 'object');
  const doctor = await runKvbench(['doctor'], { cwd });
  assert.match(doctor.stdout, /redis|valkey/i);
  const dry = await runKvbench(['run', 'failover', '--dry-run'], { cwd });
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /kill/);
  assert.deepEqual(readdirSync(cwd), [], 'nothing was written');
});

const wrongProfiles: [name: string, text: string | Buffer, expected: RegExp][] = [
  ['unknown key', 'name: x\nlode: {}\n', /2:1.*lode.*load/s],
  [
    'bad unit',
    'name: x\ntarget: { topology: standalone }\nload: { workload: session-cache, phases: [ { name: a, duration: 5, rate: 10/s } ] }\n',
    /duration/,
  ],
  [
    'missing file',
    'name: x\ntarget: { topology: standalone }\nload: { workload: ./none.yaml, phases: [ { name: a, duration: 5s, rate: 10/s } ] }\n',
    /none\.yaml/,
  ],
  ['impossible node', base('chaos: [ { at: 1s, for: 1s, fault: kill, node: "master[7]" } ]'), /master\[7\]/],
  [
    'negative rate',
    'name: x\ntarget: { topology: standalone }\nload: { workload: session-cache, phases: [ { name: a, duration: 5s, rate: -10/s } ] }\n',
    /-10\/s/,
  ],
  ['threshold typo', base('thresholds: { latency: ["p(99)<<5ms"] }'), /p\(99\)<<5ms/],
  ['unknown metric', base('thresholds: { latencey: ["p(99)<5ms"] }'), /latencey.*latency/s],
  ['YAML syntax', 'name: [x\nload: }\n', /\d+:\d+/],
  ['wrong type', 'name: x\ntarget: 5\nload: []\n', /target/],
  ['unknown fault', base('chaos: [ { at: 1s, fault: kil, node: "master[0]" } ]'), /kil.*kill/s],
  ['fault after the end', base('chaos: [ { at: 90s, fault: kill, node: "master[0]" } ]'), /1m30s|90s/],
  [
    'alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}\n`,
    /alias/i,
  ],
  ['empty', '', /empty/],
  ['binary', Buffer.from([0, 1, 2, 255, 254, 0, 7]), /binary|text/i],
  [
    'workload without weights',
    'name: x\ntarget: { topology: standalone }\nload: { workload: { name: w, operations: { get: 0, set: 0 }, keys: { count: 10 }, values: { size: 1B } }, phases: [ { name: a, duration: 5s, rate: 10/s } ] }\n',
    /operations/,
  ],
];

function base(extra: string): string {
  return `name: x\ntarget: { topology: standalone }\nload: { workload: session-cache, phases: [ { name: a, duration: 5s, rate: 10/s } ] }\n${extra}\n`;
}

test('fifteen kinds of wrong profile: one clear message each, 104, nothing started', { timeout: 120_000 }, async () => {
  const cwd = temporaryFolder();
  for (const [name, text, expected] of wrongProfiles) {
    const file = typeof text === 'string' ? writeProfile(cwd, 'wrong.yaml', text) : join(cwd, 'wrong.yaml');
    if (typeof text !== 'string') writeFileSync(file, text);
    const finished = await runKvbench(['run', 'wrong.yaml'], { cwd });
    assert.equal(finished.code, 104, `${name}: ${finished.stderr}`);
    assert.match(finished.stderr, expected, name);
    assert.match(finished.stderr, /wrong\.yaml/, name);
    assert.doesNotMatch(finished.stderr, /\n\s+at |Starting/, name);
    assert.deepEqual(readdirSync(cwd), ['wrong.yaml'], `${name}: nothing was made`);
  }
});
