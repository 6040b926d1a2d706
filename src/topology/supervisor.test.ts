/** The supervisor cleans up whatever way kvbench ends, and only acts on what it started. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { LabPlan } from '../plan/plan.js';
import { findServer } from './findServer.js';
import { serverArguments } from './labConfig.js';
import { PortPicker } from './ports.js';
import { type ServerExit, Supervisor } from './supervisorClient.js';
import { waitFor } from './waiting.js';

const plan: LabPlan = { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'auto', config: {} };

/** A process that has ended but was not collected by its new parent yet (a zombie) is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return existsSync('/proc/self') ? false : canSignal(pid);
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function waitUntil(what: string, holds: () => boolean): Promise<true> {
  return waitFor(() => (holds() ? true : undefined), { limitUs: 5_000_000, everyUs: 5000, timedOut: () => new Error(`not within 5 s: ${what}`) });
}

/** A process like kvbench: it starts two servers under a supervisor, stops one, says who is who, and then hangs. */
const parentProgram = (ports: number[], moduleUrl: string): string => `
  const { Supervisor } = await import(${JSON.stringify(moduleUrl)});
  const supervisor = await Supervisor.launch();
  const pids = [];
  for (const [i, args] of ${JSON.stringify(ports.map((port) => serverArguments(plan, { host: '127.0.0.1', port, busPort: null, sourceHost: null, announce: null })))}.entries()) {
    pids.push((await supervisor.start('n' + (i + 1), ${JSON.stringify(findServer(undefined, process.env).path)}, args)).pid);
  }
  await supervisor.signal('n1', 'SIGSTOP');
  console.log(JSON.stringify({ folder: supervisor.folder, pids }));
  setInterval(() => {}, 1000);
`;

test('kvbench killed with -9 while a server is stopped: no server and no folder within 5 s', async () => {
  const ports = new PortPicker();
  const program = parentProgram([await ports.next(), await ports.next()], new URL('./supervisorClient.js', import.meta.url).href);
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: parent.stdout }).once('line', resolve);
      parent.once('exit', () => reject(new Error('the parent ended early')));
    });
    const { folder, pids } = JSON.parse(line) as { folder: string; pids: number[] };
    assert.ok(existsSync(folder) && pids.length === 2 && pids.every(isAlive));
    parent.kill('SIGKILL');
    await waitUntil('servers and folder gone', () => !pids.some(isAlive) && !existsSync(folder));
  } finally {
    parent.kill('SIGKILL');
  }
});

test('a program that ends by itself is reported; signals go to running servers only', async () => {
  const supervisor = await Supervisor.launch();
  try {
    const exits: ServerExit[] = [];
    supervisor.onExit = (exit) => exits.push(exit);
    const { pid, atUs } = await supervisor.start('n1', '/bin/sh', ['-c', 'echo complaint; exit 3']);
    await waitUntil('exit of n1', () => exits.length === 1);
    const exit = exits[0];
    assert.deepEqual([exit?.node, exit?.pid, exit?.exitCode, exit?.signal], ['n1', pid, 3, null]);
    assert.ok((exit?.atUs ?? 0) >= atUs - 1000);
    assert.equal(readFileSync(join(supervisor.folder, 'n1', 'output.txt'), 'utf8'), 'complaint\n');
    assert.equal(supervisor.pidOf('n1'), null);
    await assert.rejects(supervisor.signal('n1', 'SIGKILL'), /n1 is not running/);
    await assert.rejects(supervisor.signal('n9', 'SIGKILL'), /n9 is not running/);
    await assert.rejects(supervisor.start('n2', '/no/such/program', []), /ENOENT/);
  } finally {
    await supervisor.stop();
  }
  assert.equal(existsSync(supervisor.folder), false);
  await assert.rejects(supervisor.start('n1', '/bin/sh', []), /gone/);
});

test('SIGKILL takes the forks of a server with it', async () => {
  const supervisor = await Supervisor.launch();
  try {
    await supervisor.start('n1', '/bin/sh', ['-c', 'sleep 600 & echo $!; wait']);
    const output = join(supervisor.folder, 'n1', 'output.txt');
    await waitUntil('the fork', () => /\d+\n/.test(readFileSync(output, 'utf8')));
    const fork = Number(readFileSync(output, 'utf8'));
    assert.ok(isAlive(fork));
    await supervisor.signal('n1', 'SIGKILL');
    await waitUntil('the fork gone', () => !isAlive(fork));
  } finally {
    await supervisor.stop();
  }
});

test('no temporary folder to work in: said in one line', async () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = '/no/such/folder';
  try {
    await assert.rejects(Supervisor.launch(), (error: Error) => /^the lab could not be prepared: ENOENT.*\/no\/such\/folder/.test(error.message));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});

/** The supervisor itself is hit: by a signal it can handle, and by one it can't. */
for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} of the supervisor: its servers and its folder go too`, async () => {
    const supervisor = await Supervisor.launch();
    try {
      const { pid } = await supervisor.start('n1', '/bin/sh', ['-c', 'echo $PPID; sleep 600']);
      const output = join(supervisor.folder, 'n1', 'output.txt');
      await waitUntil('its pid', () => /\d+\n/.test(readFileSync(output, 'utf8')));
      process.kill(Number(readFileSync(output, 'utf8')), signal);
      await waitUntil('server and folder gone', () => !isAlive(pid) && !existsSync(supervisor.folder));
    } finally {
      await supervisor.stop();
    }
  });
}
