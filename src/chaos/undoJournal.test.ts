import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { identityOf, isStillRunning } from '../base/processIdentity.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { PortPicker } from '../topology/ports.js';
import { createProxies } from './proxies.js';
import { clientLink, RealProcesses } from './testDoubles.test.support.js';
import { startEmbeddedToxiproxy } from './toxiproxy/embedded.js';
import { undoJournal } from './undo.js';
import { findJournals, UndoJournal } from './undoJournal.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvbench-journal-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const head = { run: 'a test/run', folder: '/nowhere', access: null };

test('a step is on disk before add resolves, and gone from what is open once it is done', async () => {
  const journal = new UndoJournal(mkdtempSync(join(folder, 'j-')), head);
  assert.equal(existsSync(journal.file), false);
  const entry = await journal.add({ kind: 'exec', argv: ['true'] });
  const kept = await journal.add({ kind: 'exec', argv: ['false'] });
  assert.match(readFileSync(journal.file, 'utf8'), /"argv":\["true"\]/);
  await entry.done();
  await entry.done();
  const [found] = await findJournals(join(journal.file, '..'));
  assert.deepEqual(found?.open, [{ id: 2, step: { kind: 'exec', argv: ['false'] } }]);
  assert.equal(found && isStillRunning(found.head.owner), true);
  await kept.done();
  await journal.close();
  assert.equal(existsSync(journal.file), false);
});

test('a journal with open steps stays, and a line that was cut off is no step', async () => {
  const place = mkdtempSync(join(folder, 'j-'));
  const journal = new UndoJournal(place, head);
  await journal.add({ kind: 'exec', argv: ['true'] });
  await journal.close();
  appendFileSync(journal.file, '{"id":2,"step":{"kind":"ex');
  const [found] = await findJournals(place);
  assert.equal(found?.open.length, 1);
});

test('passwords are refused', async () => {
  const journal = new UndoJournal(mkdtempSync(join(folder, 'j-')), head);
  const step = (...args: string[]) => journal.add({ kind: 'command', node: 'n1', address: '127.0.0.1:1', args });
  await assert.rejects(step('CONFIG', 'SET', 'maxmemory', '1', 'requirepass', 'x'), /secret/);
  await assert.rejects(step('auth', 'x'), /secret/);
  assert.equal(existsSync(journal.file), false);
});

test('undo: the last step first, all are tried, what failed is told with its reason and stays', async () => {
  const place = mkdtempSync(join(folder, 'j-'));
  const trace = join(place, 'trace');
  const note = (word: string) => ({ kind: 'exec' as const, argv: ['/bin/sh', '-c', `echo ${word} $EXTRA >> ${trace}`], env: { EXTRA: 'env' } });
  const journal = new UndoJournal(place, head);
  await journal.add(note('first'));
  await journal.add({ kind: 'exec', argv: ['/bin/sh', '-c', 'exit 3'] });
  await journal.add({ kind: 'command', node: 'n1', address: '127.0.0.1:1', args: ['CLIENT', 'UNPAUSE'] });
  await journal.add(note('last'));
  await journal.close();
  const [found] = await findJournals(place);
  assert.ok(found);
  const result = await undoJournal(found);
  assert.equal(readFileSync(trace, 'utf8'), 'last env\nfirst env\n');
  assert.equal(result.undone.length, 2);
  assert.match(result.failed[0] ?? '', /CLIENT UNPAUSE on n1 \(127\.0\.0\.1:1\): .*ECONNREFUSED/);
  assert.match(result.failed[1] ?? '', /ended with code 3/);
  const [again] = await findJournals(place);
  assert.deepEqual(
    again?.open.map(({ id }) => id),
    [2, 3],
  );
});

test('undo: a setting goes back, and a proxy of a Toxiproxy at a url goes with its toxics', async () => {
  const place = mkdtempSync(join(folder, 'j-'));
  const port = await new PortPicker().next();
  const servers = new RealProcesses({ n1: port }, place);
  const toxiproxy = await startEmbeddedToxiproxy();
  try {
    await servers.start('n1');
    const cli = (...args: string[]) => execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' });
    const journal = new UndoJournal(place, head);
    await journal.add({ kind: 'command', node: 'n1', address: `127.0.0.1:${port}`, args: ['CONFIG', 'SET', 'maxmemory', '0'] });
    cli('CONFIG', 'SET', 'maxmemory', '9999999');
    const nodes = [{ id: 'n1', host: '127.0.0.1', port, logFile: null }];
    const proxies = await createProxies({ nodes }, { kind: 'url', url: toxiproxy.url }, journal);
    await proxies.addToxic(clientLink('n1'), 'slow', { type: 'latency', stream: 'downstream', toxicity: 1, attributes: { latency: 5 } });
    // As after kill -9: nobody closes anything.
    const [found] = await findJournals(place);
    assert.ok(found);
    const result = await undoJournal(found);
    assert.deepEqual(result.failed, []);
    assert.equal(result.undone.length, 2);
    assert.match(cli('CONFIG', 'GET', 'maxmemory'), /maxmemory\s+0\s/);
    assert.deepEqual(await (await fetch(`${toxiproxy.url}/proxies`)).json(), {});
    assert.equal(existsSync(found.file), false);
  } finally {
    await toxiproxy.close();
    await servers.endAll();
  }
});

test('proxies removed in order leave nothing to undo', async () => {
  const place = mkdtempSync(join(folder, 'j-'));
  const toxiproxy = await startEmbeddedToxiproxy();
  try {
    const journal = new UndoJournal(place, head);
    const nodes = [{ id: 'n1', host: '127.0.0.1', port: 1, logFile: null }];
    const proxies = await createProxies({ nodes }, { kind: 'url', url: toxiproxy.url }, journal);
    assert.equal(journal.openSteps, 1);
    await proxies.close();
    await journal.close();
    assert.deepEqual(readdirSync(place), []);
  } finally {
    await toxiproxy.close();
  }
});

test('a process is told from a later one of the same number', async () => {
  const child: ChildProcess = spawn('sleep', ['60']);
  const identity = identityOf(child.pid ?? 0);
  assert.ok(identity);
  assert.equal(isStillRunning(identity), true);
  assert.equal(isStillRunning({ ...identity, started: `${identity.started}1` }), false);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  assert.equal(isStillRunning(identity), false);
});

test('the runtime folder is made, and refused where it is no folder', () => {
  const at = join(folder, 'runtime');
  assert.equal(runtimeFolder({ KVBENCH_RUNTIME_DIR: at }), at);
  assert.equal(existsSync(at), true);
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  assert.throws(() => runtimeFolder({ KVBENCH_RUNTIME_DIR: file }), /KVBENCH_RUNTIME_DIR|cannot be used/);
});
