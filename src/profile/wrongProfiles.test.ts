import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ExitCode, KvbenchError } from '../base/errors.js';
import { testFaults } from './faults.test.support.js';
import { loadProfile } from './loadProfile.js';
import { ProfileError } from './problems.js';

const home = process.cwd();
let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvbench-profile-'));
  process.chdir(folder);
});
after(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

/** Line 1: target; line 2 and on: load; then whatever a case adds. */
const TARGET = 'target: { topology: cluster, masters: 3, replicasPerMaster: 1 }';
const LOAD = 'load: { workload: session-cache, phases: [{ name: steady, duration: 10s, rate: 100/s }] }';
const good = `${TARGET}\n${LOAD}\n`;
const chaos = (entry: string): string => `${good}chaos:\n  - ${entry}\n`;
const thresholds = (line: string): string => `${good}thresholds:\n  ${line}\n`;
const load = (text: string): string => `${TARGET}\n${text}\n`;
const target = (text: string): string => `${text}\n${LOAD}\n`;

const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...[1, 2, 3, 4, 5, 6, 7, 8].map(
    (i) =>
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
  ),
].join('\n');

/** What is wrong; the file, with § before the place of the problem; what is said there (a text: exactly; else what it must match). */
const cases: [what: string, text: string | Buffer, expected: string | RegExp][] = [
  ['unknown key', `${good}§threshold: {}\n`, 'unknown key "threshold"; did you mean "thresholds"?'],
  [
    'unknown nested key',
    load('load:\n  §thread: 3\n  workload: session-cache\n  phases: [{ duration: 1s, rate: 1/s }]'),
    'unknown key "thread" in load; did you mean "threads"?',
  ],
  [
    'reads from replicas of a standalone server',
    'target: { topology: standalone }\nload: { readFrom: §replica, workload: session-cache, phases: [{ duration: 1s, rate: 1/s }] }\n',
    'readFrom: a standalone server has no replica that kvbench knows of; use a topology with replicas, or readFrom: master',
  ],
  [
    'reads from replicas of a master without any',
    'target: { topology: replicated, replicas: 0 }\nload: { readFrom: §replica, workload: session-cache, phases: [{ duration: 1s, rate: 1/s }] }\n',
    'readFrom: this master has no replicas; set target.replicas to at least 1, or readFrom: master',
  ],
  [
    'a quorum that can never be reached',
    'target: { topology: sentinel, sentinels: 3, quorum: §4 }\nload: { workload: session-cache, phases: [{ duration: 1s, rate: 1/s }] }\n',
    'quorum: 4 sentinels can never agree where there are 3; make it at most 3',
  ],
  [
    'a sentinel that is not there',
    'target: { topology: sentinel }\nload: { workload: session-cache, phases: [{ duration: 5s, rate: 1/s }] }\nchaos: [{ at: 1s, fault: stop, node: §"sentinel[3]" }]\n',
    'node: "sentinel[3]" can never be hit: this target (a master, 2 replicas, 3 sentinels) has sentinel[0] to sentinel[2]',
  ],
  [
    'reads from replicas that there are none of',
    'target: { topology: cluster, replicasPerMaster: 0 }\nload: { readFrom: §replica, workload: session-cache, phases: [{ duration: 1s, rate: 1/s }] }\n',
    'readFrom: these masters have no replicas; set target.replicasPerMaster to at least 1, or readFrom: master',
  ],
  [
    'bad unit',
    load('load: { workload: session-cache, phases: [{ duration: §10x, rate: 1/s }] }'),
    'duration: "10x" is not a duration; write it like 500ms, 5s or 1m30s',
  ],
  [
    'key of another distribution',
    load('load: { workload: { operations: { get: 1 }, keys: { distribution: latest, mean: §0.5 } }, phases: [{ duration: 1s, rate: 1/s }] }'),
    'mean: belongs to distribution: gaussian, but here it is latest; leave it out',
  ],
  [
    'a wrong step',
    load('load: { workload: session-cache, phases: [{ duration: 1s, rate: [1/s, §5] }] }'),
    /^rate\[1\]: 5 is a number without a unit/,
  ],
  [
    'no step',
    load('load: { workload: session-cache, phases: [{ duration: 1s, rate: §[] }] }'),
    'rate: the list is empty; it needs at least one entry',
  ],
  [
    'a limit of a closed loop that something follows',
    load('load: { workload: session-cache, phases: [{ duration: 1s, clients: 5, operations: §10 }, { duration: 1s, rate: 1/s }] }'),
    /^operations: only the last phase can be a closed loop with a limit/,
  ],
  [
    'a limit of steps',
    load('load: { workload: session-cache, phases: [{ duration: 1s, rate: [1/s, 2/s], operations: §10 }] }'),
    /^operations: operations belongs to a single rate/,
  ],
  [
    'a rate without a unit',
    load('load: { workload: session-cache, phases: [{ duration: 1s, rate: §10 }] }'),
    'rate: 10 is a number without a unit; it must be a rate or ramp like 5000/s, or a list like [1000/s, 2000/s, 4000/s]',
  ],
  [
    'a threshold on a phase of steps',
    `${load('load: { workload: session-cache, phases: [{ name: up, duration: 1s, rate: [1/s, 2/s] }] }')}thresholds:\n  §"latency{phase:up}": "p(99)<1s"\n`,
    /^unknown phase "up" in .*did you mean "up-1"\?/,
  ],
  [
    'two tags',
    load('load: { workload: { operations: { get: 1 }, keys: { prefix: "a{b}:", perTag: §5 } }, phases: [{ duration: 1s, rate: 1/s }] }'),
    /^perTag: does nothing with prefix "a\{b\}:"/,
  ],
  [
    'arrivals of a closed loop',
    load('load: { workload: session-cache, phases: [{ duration: 1s, clients: 5, arrivals: §poisson }] }'),
    'arrivals: arrivals belongs to an open loop (rate); in a closed loop the answers set the pace',
  ],
  [
    'no unit',
    load('load: { workload: session-cache, timeout: §5, phases: [{ duration: 1s, rate: 1/s }] }'),
    /^timeout: 5 is a number without a unit/,
  ],
  [
    'missing file',
    load('load: { workload: §nowhere.yaml, phases: [{ duration: 1s, rate: 1/s }] }'),
    /^there is no workload file nowhere.yaml, and no shipped workload of that name; shipped workloads are: churn/,
  ],
  [
    'impossible node',
    chaos('{ at: 1s, fault: stop, node: §"master[5]" }'),
    'node: "master[5]" can never be hit: this cluster (3 masters, 1 replica each) has master[0] to master[2]',
  ],
  [
    'replica of a standalone',
    `target: { topology: standalone }\n${LOAD}\nchaos: [{ at: 1s, fault: stop, node: §all replicas }]\n`,
    'node: "all replicas" can never be hit: a standalone target has no replicas',
  ],
  ['no such slot', chaos('{ at: 1s, fault: stop, node: §master of slot 16384 }'), 'node: slot 16384 does not exist; slots go from 0 to 16383'],
  [
    'negative rate',
    load('load: { workload: session-cache, phases: [{ duration: 1s, rate: §-5/s }] }'),
    'rate: "-5/s" is negative; a rate is above 0, like 5000/s',
  ],
  ['threshold typo', thresholds('latency: [§"p(99)<<50ms"]'), /^"p\(99\)<<50ms" is not an expression; write it like avg<50ms/],
  ['threshold with a bad aggregate', thresholds('latency: [§"p99<50ms"]'), /^.*not an expression/],
  ['threshold with a foreign aggregate', thresholds('availability: [§"max<1"]'), '"max<1": availability has no max; it takes rate, value'],
  ['unknown metric', thresholds('§latncy: ["p(99)<50ms"]'), 'unknown metric "latncy"; did you mean "latency"?'],
  ['unknown tag', thresholds('§"latency{opp:get}": avg<5'), 'unknown tag "opp" in latency{opp:get}; did you mean "op"?'],
  ['unknown phase in a tag', thresholds('§"latency{phase:stedy}": avg<5'), 'unknown phase "stedy" in latency{phase:stedy}; did you mean "steady"?'],
  ['unknown shard in a tag', thresholds('§"gap{shard:3}": max<5s'), 'gap{shard:3}: there is no shard 3; this target has shards 0 to 2'],
  ['a recovery time of all shards', thresholds('§"rto{shard:all}": max<5s'), /^rto\{shard:all\}: a recovery time is of one shard or any/],
  ['unknown fault in a tag', thresholds('§"rto{fault:1}": max<5s'), 'rto{fault:1}: there is no fault 1; this profile has no faults'],
  [
    'lost writes where nothing is broken, so that no ledger is kept',
    thresholds('§lost_writes: count==0'),
    'lost_writes needs the ledger, and without chaos it is off unless load.ledger says on; write ledger: on',
  ],
  [
    'lost writes without a ledger',
    load('load: { ledger: "off", workload: session-cache, phases: [{ duration: 5s, rate: 1/s }] }\nthresholds: { §lost_writes: value<1 }'),
    'lost_writes needs the ledger, and load.ledger is off; write ledger: on',
  ],
  [
    'a ledger of what custom commands write',
    load(
      'load: { ledger: §on, workload: { operations: { get: 1, push: 1 }, commands: { push: { command: "LPUSH __key__ __data__", kind: write } } }, phases: [{ duration: 5s, rate: 1/s }] }',
    ),
    'ledger: a custom command of the workload writes keys, and what it writes has no version; leave ledger out, or the command',
  ],
  ['YAML syntax', 'target: [1, 2\n§load: x\n', /^YAML: /],
  ['YAML with two colons', 'target: §a: b\n', /^YAML: a second ": " on this line/],
  ['YAML key twice', `${good}name: a\n§name: b\n`, /^YAML: this key stands twice/],
  ['YAML brackets without quotes', chaos('{ at: 1s, fault: stop, node: master§[0] }'), /^YAML: .* put it in quotes, like "master\[0\]"/],
  ['YAML alias without anchor', `${good}name: §*nope\n`, /^YAML: the alias \*nope has no anchor/],
  ['YAML alias in itself', `${good}x: &x [§*x]\n`, /^YAML: the alias \*x stands inside what it stands for/],
  ['wrong type', `${good}seed: §fortytwo\n`, 'seed: "fortytwo" is a text; it must be a whole number 0 or more'],
  ['wrong type of a part', `${TARGET}\nload: §5\n`, /^load: 5 is a number; it must be a map of keys/],
  ['unknown fault', chaos('{ at: 1s, fault: §stopp, node: "master[0]" }'), 'unknown fault "stopp"; did you mean "stop"?'],
  [
    'fault after the end',
    chaos('{ at: §10s, fault: stop, node: "master[0]" }'),
    'at: 10s is not before the end of the load (10s); inject it earlier or make the phases longer',
  ],
  [
    'a fault behind the end that a limit of operations brings',
    `${load('load: { workload: session-cache, phases: [{ duration: 1m, rate: 100/s, operations: 500 }, { duration: 1s, clients: 1 }] }')}chaos:\n  - { at: §6s, fault: stop, node: "master[0]" }\n`,
    /^at: 6s is not before the end of the load \(6s, as `operations` of its phases shorten it\)/,
  ],
  ['heal after the end', chaos('{ at: 8s, for: §3s, fault: stop, node: "master[0]" }'), /^for: 8s \+ 3s is after the end of the load \(10s\)/],
  [
    'fault that waits for itself',
    chaos('{ after: { fault: §1, state: healed }, fault: stop, node: "master[0]" }'),
    /^fault: 1 is not an earlier fault/,
  ],
  ['fault without a moment', chaos('§{ fault: stop, node: "master[0]" }'), /^chaos\[0\]: a fault needs its moment/],
  ['fault without its node', chaos('§{ at: 1s, fault: stop }'), /^missing key "node" in chaos\[0\]: stop must know which node to hit/],
  ['alias bomb', `§${bomb}`, /^YAML: its aliases \(\*name\) expand into far more than a profile can need/],
  ['nested thousands of times', `§${'['.repeat(20_000)}`, /^YAML: nested too deeply/],
  ['empty', '§', /^the profile is empty/],
  ['only a comment', '§# nothing\n', /^the profile is empty/],
  ['a list', '§- a\n', /^the profile is a list/],
  ['binary', Buffer.from([110, 0, 1, 2]), 'is not a text file (byte 1 is NUL); a YAML file in UTF-8 is expected'],
  ['not UTF-8', Buffer.from([0xff, 0xfe, 0x41]), 'is not valid UTF-8 text; save it as UTF-8'],
  [
    'workload without weights',
    load('load: { workload: §{ keys: { count: 5 } }, phases: [{ duration: 1s, rate: 1/s }] }'),
    'missing key "operations" in load.workload: Weights of the operations; 90 and 10 mean the same as 9 and 1 (e.g. operations: { get: 90, set: 10 })',
  ],
  [
    'workload with all weights zero',
    load('load: { workload: { operations: §{ get: 0 } }, phases: [{ duration: 1s, rate: 1/s }] }'),
    /^operations: a workload without weights does nothing/,
  ],
  [
    'two loops in a phase',
    load('load: { workload: counters, phases: [{ duration: 1s, rate: 1/s, clients: §3 }] }'),
    /^clients: rate and clients exclude each other/,
  ],
  [
    'target without its topology',
    'name: x\ntarget: §{ url: "redis://127.0.0.1:6379" }\nload: { workload: counters, phases: [{ duration: 1s, rate: 1/s }] }\n',
    'missing key "topology" in target; it must be one of: standalone, replicated, sentinel, cluster, external',
  ],
  ['no phases', load('load: { workload: counters, phases: §[] }'), 'phases: the list is empty; it needs at least one entry'],
  ['nothing recorded', load('load: { workload: counters, phases: §[{ duration: 1s, rate: 1/s, record: false }] }'), /^all phases have record: false/],
  ['a topology that is nearly one', target('target: { topology: §sentinels }'), 'topology: "sentinels" is unknown; did you mean "sentinel"?'],
  ['too few masters', target('target: { topology: cluster, masters: §2 }'), 'masters: 2 is too small; it must be a whole number from 3 to 100'],
  [
    'a directive of ours',
    target('target: { topology: standalone, config: { port: §7000 } }'),
    'port: not for a profile to set: kvbench chooses free ports; leave it out',
  ],
  [
    'a toxic file that is not there',
    chaos('{ at: 1s, fault: net, use: §slow-wann }'),
    /^there is no toxic file slow-wann, .*did you mean "slow-wan"\?/,
  ],
  ['use and toxics', chaos('{ at: 1s, fault: net, use: slow-wan, §toxics: [] }'), /^use and toxics exclude each other/],
  ['a toxic of an unknown type', chaos('{ at: 1s, fault: net, toxics: [{ type: §latncy }] }'), 'type: "latncy" is unknown; did you mean "latency"?'],
  ['a fault that does nothing', chaos('§{ at: 1s, fault: net }'), 'chaos[0]: does nothing: give it toxics'],
  [
    'a process fault outside',
    target('target: { topology: external, url: "redis://h:1" }').concat('chaos: [{ at: 1s, fault: §stop, node: "master[0]" }]'),
    /^fault: stop acts on server processes/,
  ],
  [
    'a fault not allowed outside',
    target('target: { topology: external, url: "redis://h:1" }').concat('chaos: [{ at: 1s, fault: §net, use: slow-wan }]'),
    /^fault: net is not allowed on this external target; .* allow: \[net\]/,
  ],
];

test('each kind of wrong profile gives one clear line with its place, and exit code 104', () => {
  for (const [what, marked, expected] of cases) {
    const mark = typeof marked === 'string' ? marked.indexOf('§') : -1;
    const text = typeof marked === 'string' ? marked.replace('§', '') : marked;
    const linesBefore = text.toString().slice(0, Math.max(0, mark)).split('\n');
    const place = mark < 0 ? 'wrong.yaml' : `wrong.yaml:${linesBefore.length}:${(linesBefore.at(-1)?.length ?? 0) + 1}`;
    const error = errorOf(text);
    assert.equal(error.exitCode, ExitCode.invalidInput, what);
    assert.equal(error.problems.length, 1, `${what}: ${error.message}`);
    const [problem] = error.problems;
    assert.equal(problem?.place.text, place, `${what}: ${problem?.message}`);
    if (typeof expected === 'string') assert.equal(problem?.message, expected, what);
    else assert.match(problem?.message ?? '', expected, what);
    assert.equal(error.message, `${place}: ${problem?.message}`, what);
    assert.ok(error.hint, what);
  }
});

test('the good base of these cases is good', () => {
  writeFileSync('wrong.yaml', good);
  assert.equal(loadProfile('wrong.yaml', { faults: testFaults, sets: [], env: {} }).name, 'wrong');
});

test('all problems of a file are told at once, in the order of their places', () => {
  const error = errorOf(`target: { topology: clustr }
load:
  workload: { operations: { get: 1 }, keys: { count: 0 } }
  timeout: 5
  phases:
    - { name: a, duration: 5x, rate: 10 }
    - { name: a, rate: -1/s }
chaos:
  - { at: 1s, fault: stopp, node: "mastr[0]" }
thresholds: { "latncy": "p(99)<5", "latency{op:got}": "p(0)<5" }
extra: 1
`);
  const places = error.problems.map((problem) => problem.place.text.replace('wrong.yaml:', ''));
  assert.deepEqual(places, ['1:21', '3:54', '4:12', '6:28', '6:38', '7:7', '7:24', '9:22', '9:35', '10:15', '10:36', '10:55', '11:1'], error.message);
});

test('a problem in a file that the profile names carries that file and its position', () => {
  writeFileSync('load.yaml', '# a workload\noperations: { gett: 5, set: 1 }\nkeys:\n  count: many\n');
  writeFileSync('net.yaml', 'name: net\ntoxics:\n  - { type: latency, attributes: { latency: -1 } }\n');
  const error = errorOf(
    `${TARGET}\nload: { workload: load.yaml, phases: [{ duration: 9s, rate: 1/s }] }\nchaos: [{ at: 1s, fault: net, use: ./net.yaml }, { at: 99s, fault: stop, node: "master[0]" }]\n`,
  );
  const places = error.problems.map((problem) => problem.place.text);
  assert.deepEqual(places, ['wrong.yaml:3:56', 'net.yaml:3:45', 'load.yaml:2:15', 'load.yaml:4:10'], error.message);
});

test('a syntax error in a named file is told at its own place, and the rest of the profile still is checked', () => {
  writeFileSync('load.yaml', 'operations: { get: 5\n');
  const error = errorOf(`${TARGET}\nload: { workload: load.yaml, thread: 2, phases: [{ duration: 9s, rate: 1/s }] }\n`);
  assert.match(error.message, /^wrong.yaml:2:30: unknown key "thread".*\nload.yaml:2:1: YAML: /);
});

test('a password never stands in a message, whatever way it is written', () => {
  const secret = 'hunter2';
  for (const text of [
    `target: { topology: external, url: "redis://user:${secret}@host:6379" }`,
    `target: { topology: external, url: "redis://:${secret}@ho st" }`,
    `target: { topology: external, url: "redis://host", password: ${secret} }`,
    `target: { topology: external, url: "redis://host", password: { env: [${secret}] } }`,
    `target: "redis://:${secret}@host"`,
  ]) {
    const error = errorOf(`${text}\n${LOAD}\n`);
    assert.doesNotMatch(`${error.message} ${error.hint}`, new RegExp(secret), text);
  }
  assert.match(errorOf(`target: { topology: external, url: "redis://h", password: x }\n${LOAD}\n`).message, /password: \{ env: REDIS_PASSWORD \}/);
});

test('a profile that is not there names the shipped ones, or the one that was meant', () => {
  const load = (file: string) => (): unknown => loadProfile(file, { faults: testFaults, sets: [], env: {} });
  const isUnreadable = (pattern: RegExp) => (error: unknown) =>
    error instanceof KvbenchError && error.code === 'FILE_NOT_READABLE' && pattern.test(error.message);
  assert.throws(load('nowhere.yaml'), isUnreadable(/no profile file nowhere.yaml, .*shipped profiles are: capacity, .*failover, /));
  assert.throws(load('failovr'), isUnreadable(/did you mean "failover"\?/));
});

function errorOf(text: string | Buffer): ProfileError {
  writeFileSync('wrong.yaml', text);
  try {
    loadProfile('wrong.yaml', { faults: testFaults, sets: [], env: {} });
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `nothing was found wrong in:\n${text.toString()}` });
}
