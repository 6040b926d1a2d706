/** How a connection of the wire client opens its socket, greets the server and names a failure. Used by wireConnection.ts; nothing here is per operation. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { LoadEndpoints } from '../client.js';
import type { CloseReason } from './connectionSeam.js';

/** @param onRead told of each read into `buffer`, which the socket fills again afterwards */
export function openTcp(host: string, port: number, buffer: Buffer, onRead: (byteCount: number) => boolean): Socket {
  return connectTcp({ host, port, noDelay: true, keepAlive: true, onread: { buffer, callback: onRead } });
}

export function openTls(host: string, port: number, tls: NonNullable<LoadEndpoints['tls']>): Socket {
  const { ca, cert, key, serverName, rejectUnauthorized } = tls;
  return connectTls({
    host,
    port,
    rejectUnauthorized,
    ...(serverName === null ? {} : { servername: serverName }),
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  }).setNoDelay(true);
}

/** @param code of the socket's error */
export function closeReasonOf(code: string | undefined): CloseReason {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset';
    case 'ECONNREFUSED':
      return 'refused';
    default:
      return 'unreachable';
  }
}

/** In RESP. */
export function command(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}
