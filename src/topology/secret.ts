/**
 * Reads what an external target's plan only names: the password, certificates and keys. Called by external.ts when it connects, and by `kvbench heal`.
 * The value of a secret, and what a password command prints, must never get into a message.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { KvbenchError } from '../base/errors.js';
import type { ExternalPlan, SecretSource } from '../plan/plan.js';
import type { Access } from './connection.js';

const COMMAND_LIMIT_MS = 10_000;

/** Throws INVALID_ARGUMENT, FILE_NOT_READABLE or TARGET_UNREACHABLE with where the secret was looked for. */
export async function readAccess(target: Pick<ExternalPlan, 'url' | 'username' | 'password' | 'tls'>): Promise<Access> {
  const tls = target.tls ?? { ca: null, cert: null, key: null, serverName: null, rejectUnauthorized: true };
  const overTls = target.tls !== null || target.url.startsWith('rediss:');
  return {
    username: target.username,
    password: target.password === null ? null : await readSecret(target.password),
    tls: overTls ? { ...tls, ca: pem(tls.ca, 'ca'), cert: pem(tls.cert, 'cert'), key: pem(tls.key, 'key') } : null,
  };
}

/** The secret without the line end after it. */
export async function readSecret(source: SecretSource): Promise<string> {
  const text = await ('env' in source ? fromEnvironment(source.env) : 'file' in source ? fromFile(source.file) : fromCommand(source.command));
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new KvbenchError('INVALID_ARGUMENT', `target.password: ${nameOf(source)} is empty`);
  return secret;
}

function nameOf(source: SecretSource): string {
  return 'env' in source ? `the environment variable ${source.env}` : 'file' in source ? `the file ${source.file}` : 'the output of its command';
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      `target.password: the environment variable ${name} is not set`,
      `set it, e.g. ${name}=… kvbench run …`,
    );
  }
  return value;
}

function fromFile(file: string): string {
  return read(file, 'target.password');
}

function fromCommand(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('/bin/sh', ['-c', command], { timeout: COMMAND_LIMIT_MS, killSignal: 'SIGKILL', encoding: 'utf8' }, (error, stdout) => {
      if (!error) return resolve(stdout);
      const how = error.killed ? `did not end within ${COMMAND_LIMIT_MS / 1000} s` : `failed with code ${error.code ?? error.signal}`;
      reject(
        new KvbenchError('TARGET_UNREACHABLE', `target.password: its command ${how}`, 'try the command in a terminal; it must print the password'),
      );
    });
    child.stdin?.end();
  });
}

/** A file's text; a text that is PEM already stays. */
function pem(fileOrText: string | null, key: string): string | null {
  if (fileOrText === null || fileOrText.includes('-----BEGIN ')) return fileOrText;
  return read(fileOrText, `target.tls.${key}`);
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new KvbenchError('FILE_NOT_READABLE', `${what}: ${file} cannot be read (${reason})`, 'correct the path, or its permissions');
  }
}
