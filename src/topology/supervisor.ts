/**
 * The parent of a lab's servers: a program of its own, in a session of its own, started by supervisorClient.ts. At the end of its
 * standard input (kvbench ended, by whatever means) it kills the servers and removes their folder.
 * It must never act on a process it did not start, remove a folder it did not make, or end while a server lives.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { OUTPUT_FILE, type SupervisorMessage, type SupervisorRequest } from './supervisorProtocol.js';

/** After SIGKILL a process is gone within milliseconds; this is for a machine that hangs. */
const EXIT_LIMIT_MS = 3000;

const folder = mkdtempSync(join(tmpdir(), 'kvbench-lab-'));
const servers = new Map<string, ChildProcess>();
let ending = false;

function say(message: SupervisorMessage): void {
  try {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  } catch {
    // Nobody listens any more: the end of standard input is on its way.
  }
}

function handle(request: SupervisorRequest): void {
  try {
    switch (request.op) {
      case 'start':
        start(request);
        break;
      case 'signal':
        signal(request);
        break;
      case 'stop':
        end(0, () => say({ type: 'done', id: request.id, atUs: monotonicUs(), started: null }));
        break;
    }
  } catch (thrown) {
    say({ type: 'failed', id: request.id, message: messageOf(thrown) });
  }
}

function start({ id, node, program, args }: Extract<SupervisorRequest, { op: 'start' }>): void {
  if (ending) throw new Error('the supervisor is ending');
  if (servers.has(node)) throw new Error(`${node} is running already`);
  const cwd = join(folder, node);
  mkdirSync(cwd, { recursive: true, mode: 0o700 });
  const output = openSync(join(cwd, OUTPUT_FILE), 'a', 0o600);
  // A process group of its own, so that a fork of the server (a background save) can be killed with it.
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const atUs = monotonicUs();
  const pid = child.pid;
  if (pid === undefined) {
    child.once('error', (error) => say({ type: 'failed', id, message: error.message }));
    return;
  }
  servers.set(node, child);
  child.on('error', () => {});
  child.once('exit', (exitCode, exitSignal) => {
    const goneUs = monotonicUs();
    servers.delete(node);
    tryKill(-pid, 'SIGKILL');
    say({ type: 'exited', node, pid, exitCode, signal: exitSignal, atUs: goneUs });
  });
  say({ type: 'done', id, atUs, started: { node, pid } });
}

function signal({ id, node, signal: name }: Extract<SupervisorRequest, { op: 'signal' }>): void {
  const pid = servers.get(node)?.pid;
  if (pid === undefined) throw new Error(`${node} is not running`);
  process.kill(name === 'SIGKILL' ? -pid : pid, name);
  say({ type: 'done', id, atUs: monotonicUs(), started: null });
}

/** Kills everything, waits until it has gone, removes the folder and ends. SIGKILL works on a stopped process too. */
function end(code: number, done: () => void = () => {}): void {
  if (ending) return;
  ending = true;
  for (const child of servers.values()) {
    if (child.pid === undefined) continue;
    tryKill(-child.pid, 'SIGKILL');
    tryKill(-child.pid, 'SIGCONT');
  }
  const finish = (): void => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      done();
    } finally {
      process.exit(code);
    }
  };
  if (servers.size === 0) finish();
  for (const child of servers.values()) {
    child.once('exit', () => {
      if (servers.size === 0) finish();
    });
  }
  setTimeout(finish, EXIT_LIMIT_MS);
}

function tryKill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has gone.
  }
}

process.on('uncaughtException', () => end(1));
for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(name, () => end(1));
process.stdout.on('error', () => {});
process.stdin.on('error', () => end(0));
process.stdin.on('close', () => end(0));
createInterface({ input: process.stdin }).on('line', (line) => handle(JSON.parse(line) as SupervisorRequest));
process.stdin.on('end', () => end(0));
say({ type: 'ready', folder });
