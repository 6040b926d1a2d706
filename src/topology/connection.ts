/**
 * Direct control connections to one server. Used by the targets, their checks and (through `Target.control`) by observe and chaos.
 * A secret must never get into an error: what ioredis throws carries the command with its arguments, so only messages are kept.
 */
import { isIP } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import type { LoadEndpoints } from '../load/client.js';
import { tlsOptions } from '../load/loginOptions.js';

/** How one logs in; PEM texts in `tls`. */
export type Access = Pick<LoadEndpoints, 'username' | 'password' | 'tls'>;

export const noAccess: Access = { username: null, password: null, tls: null };

/** The name that control connections have in CLIENT LIST. */
export const CONTROL_NAME = 'kvbench-control';
const CONNECT_LIMIT_MS = 2000;
const COMMAND_LIMIT_MS = 2000;

/** The part of ioredis' options that says how to log in; the same for single connections and cluster clients. */
export function accessOptions(access: Access): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  const tls = access.tls;
  return {
    ...(access.password !== null && access.username !== null ? { username: access.username } : {}),
    ...(access.password !== null ? { password: access.password } : {}),
    ...(tls ? { tls: tlsOptions(tls) } : {}),
  };
}

/**
 * A new connection that connects with its first command, never again after it closed, never repeats a command and limits each one to
 * 2 s. It answers while the server loads its data. It has a listener for errors, so none is thrown as an event.
 */
export function openControl(host: string, port: number, access: Access): Redis {
  const redis = new Redis({
    host,
    port,
    ...accessOptions(access),
    lazyConnect: true,
    connectionName: CONTROL_NAME,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_LIMIT_MS,
    commandTimeout: COMMAND_LIMIT_MS,
  });
  redis.on('error', () => {});
  return redis;
}

/** `host:port`, with brackets where the host is an IPv6 address; for messages. */
export function addressOf(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host:port`, or `[host]:port`, in its parts. */
export function addressParts(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
