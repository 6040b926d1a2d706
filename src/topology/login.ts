/**
 * The first connection to someone else's server: reach it, log in, and say in plain words why not. Called by external.ts.
 * Logs in by hand: what ioredis does with a refused login loses the reason, and its errors carry the password.
 */
import type { Redis } from 'ioredis';
import { KvbenchError, messageOf } from '../base/errors.js';
import { type Access, addressOf, openControl } from './connection.js';
import { withinLimit } from './waiting.js';

const LOGIN_LIMIT_US = 10_000_000;

/**
 * `access` comes back without a password the server has no use for. The caller disconnects.
 * Throws TARGET_UNREACHABLE within 10 s.
 */
export async function login(host: string, port: number, access: Access): Promise<{ redis: Redis; access: Access }> {
  const redis = openControl(host, port, { ...access, username: null, password: null });
  let reason: string | undefined;
  redis.on('error', (error) => {
    reason ??= messageOf(error);
  });
  try {
    const used = await withinLimit(handshake(redis, access), LOGIN_LIMIT_US, () => new Error(`no answer within ${LOGIN_LIMIT_US / 1_000_000} s`));
    return { redis, access: used };
  } catch (thrown) {
    redis.disconnect();
    // ioredis says "Connection is closed." to commands; what happened came as an event before.
    const message = reason !== undefined && /closed/i.test(messageOf(thrown)) ? reason : messageOf(thrown);
    // No cause: an error of ioredis carries the command with its arguments.
    throw new KvbenchError('TARGET_UNREACHABLE', `the target ${addressOf(host, port)} ${whatHappened(message, access)}`, remedy(message, access));
  }
}

async function handshake(redis: Redis, access: Access): Promise<Access> {
  await redis.connect();
  let used = access;
  if (access.password !== null) {
    try {
      await redis.call('AUTH', ...(access.username === null ? [] : [access.username]), access.password);
    } catch (thrown) {
      if (!/without any password configured|no password is set/i.test(messageOf(thrown))) throw thrown;
      used = { ...access, username: null, password: null };
    }
  }
  await redis.ping().catch((thrown: unknown) => {
    // It answers: whether it is ready is looked at later. An ACL may not allow PING.
    if (!/^(LOADING|MASTERDOWN|NOPERM)/.test(messageOf(thrown))) throw thrown;
  });
  return used;
}

function whatHappened(message: string, access: Access): string {
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR)/.test(message)) return `refused the login: ${message}`;
  if (/timed? ?out|ETIMEDOUT|no answer/i.test(message)) return `did not answer: ${message}`;
  return `could not be reached${access.tls ? ' over TLS' : ''}: ${message}`;
}

function remedy(message: string, access: Access): string {
  if (/NOAUTH/.test(message)) return 'name where its password is: target.password: { env: REDIS_PASSWORD }';
  if (/WRONGPASS|invalid password/i.test(message)) return 'check target.username and where target.password points to';
  if (/self.signed|unable to (verify|get)|issuer/i.test(message)) return "give the authority that signed the server's certificate as target.tls.ca";
  if (/altname|Hostname\/IP/i.test(message)) return 'give the name in its certificate as target.tls.serverName';
  if (/certificate required|bad certificate|handshake failure/i.test(message))
    return 'give a client certificate the server accepts: target.tls.cert and .key';
  // A plain server waits for the end of the line that TLS seems to begin.
  if (access.tls && /wrong version number|packet length|EPROTO|ECONNRESET|ETIMEDOUT|closed/i.test(message))
    return 'if the port does not speak TLS, write redis://';
  if (!access.tls && /closed|ECONNRESET|Protocol error/i.test(message)) return 'if the port speaks TLS, write rediss://';
  return 'check the host, the port and what is between here and there';
}
