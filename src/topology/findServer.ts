/**
 * Finds the redis-server or valkey-server that a lab runs. Used by lab.ts, doctor.ts and the command line.
 * It must never install anything: it names the one command to type.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { KvbenchError, messageOf } from '../base/errors.js';

export interface ServerProgram {
  /** Absolute. */
  path: string;
  product: 'redis' | 'valkey';
  /** As it says itself, e.g. `7.0.15`. */
  version: string;
}

/** Package managers by which a server can be had, in the order they are looked for. */
const installers: readonly { program: string; command: string; needsRoot: boolean }[] = [
  { program: 'apt-get', command: 'RUNLEVEL=1 apt-get install -y redis-server', needsRoot: true },
  { program: 'dnf', command: 'dnf install -y redis || dnf install -y valkey', needsRoot: true },
  { program: 'apk', command: 'apk add redis', needsRoot: true },
  { program: 'brew', command: 'brew install redis', needsRoot: false },
];

/** Looked at after PATH: package managers put servers there, and not every shell has them. */
const usualFolders = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
const VERSION_LIMIT_MS = 10_000;

/**
 * `name` (a program name or path: `--server` or the profile's) unless it is undefined or `auto`; else KVBENCH_SERVER, else redis-server or
 * valkey-server from PATH. Throws SERVER_NOT_FOUND.
 */
export function findServer(name: string | undefined, env: NodeJS.ProcessEnv): ServerProgram {
  const wanted = name !== undefined && name !== 'auto' ? name : env.KVBENCH_SERVER || undefined;
  const names = wanted === undefined ? ['redis-server', 'valkey-server'] : [wanted];
  for (const candidate of names) {
    const path = findProgram(candidate, env);
    if (path !== null) return askVersion(path);
  }
  const message = wanted === undefined ? 'neither redis-server nor valkey-server was found on PATH' : `the server "${wanted}" was not found`;
  throw new KvbenchError('SERVER_NOT_FOUND', message, installHint(env));
}

/** The one command that installs a server on this machine; null when no known package manager is there. */
export function installCommand(env: NodeJS.ProcessEnv): string | null {
  const installer = installers.find(({ program }) => findProgram(program, env) !== null);
  if (!installer) return null;
  const asRoot = !installer.needsRoot || process.getuid?.() === 0;
  return asRoot ? installer.command : `sudo sh -c '${installer.command}'`;
}

function installHint(env: NodeJS.ProcessEnv): string {
  const command = installCommand(env);
  return command === null
    ? 'install redis-server or valkey-server, or name one with --server PATH or KVBENCH_SERVER'
    : `type: ${command}   (or name a server with --server PATH or KVBENCH_SERVER)`;
}

/** Absolute path of a program by name (PATH, then the usual folders) or path; null when there is none that can be run. */
function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  if (isAbsolute(name) || name.includes('/')) return isExecutable(resolve(name)) ? resolve(name) : null;
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...usualFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function askVersion(path: string): ServerProgram {
  let output: string;
  try {
    output = execFileSync(path, ['--version'], { timeout: VERSION_LIMIT_MS, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (thrown) {
    throw new KvbenchError('SERVER_NOT_FOUND', `${path} --version failed: ${messageOf(thrown).split('\n')[0]}`, 'name another server with --server');
  }
  const version = parseServerVersion(output, path);
  if (!version) {
    throw new KvbenchError('SERVER_NOT_FOUND', `${path} is neither a Redis nor a Valkey server`, 'name another server with --server');
  }
  return { path, ...version };
}

/** `Redis server v=7.0.15 sha=…`, `Valkey server v=8.0.1 …`; null for anything else. `path` decides where the text is silent. */
export function parseServerVersion(text: string, path: string): { product: 'redis' | 'valkey'; version: string } | null {
  const match = /^(Redis |Valkey )?server v=(\S+)/im.exec(text);
  if (!match) return null;
  const says = match[1]?.trim().toLowerCase();
  const product = (says ?? (basename(path).includes('valkey') ? 'valkey' : 'redis')) === 'valkey' ? 'valkey' : 'redis';
  return { product, version: match[2] ?? '' };
}
