/**
 * Addresses as Toxiproxy writes them (`host:port`, `[::1]:port`, `:port`): parsing, resolving, and the texts of their errors.
 * Called by tcpProxy.ts; never opens a socket.
 */
import { lookup } from 'node:dns/promises';
import { ApiError } from './errors.js';

export interface Address {
  /** Empty: every interface. */
  host: string;
  port: number;
}

/** Splits `host:port`. Throws 500 with Go's text when it is none; an empty text is every interface and any port. */
export function parseAddress(text: string): Address {
  if (text === '') return { host: '', port: 0 };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (!match) {
    const problem = text.includes(':') ? 'too many colons in address' : 'missing port in address';
    throw new ApiError(`address ${text}: ${problem}`, 500);
  }
  const portText = match[3] ?? '';
  if (!/^\d*$/.test(portText)) throw new ApiError(`lookup tcp/${portText}: unknown port`, 500);
  const port = Number(portText);
  if (port > 65535) throw new ApiError(`address ${portText}: invalid port`, 500);
  return { host: match[1] ?? match[2] ?? '', port };
}

/** The same with the host as an IP address, IPv4 preferred, as Go resolves a listen address. Throws 500 when the name is unknown. */
export async function resolveAddress(text: string): Promise<Address> {
  const { host, port } = parseAddress(text);
  if (host === '') return { host, port };
  try {
    const found = await lookup(host, { verbatim: false });
    return { host: found.address, port };
  } catch {
    throw new ApiError(`lookup ${host}: no such host`, 500);
  }
}

/** `127.0.0.1:80`, `[::1]:80`; every interface is `[::]:80`. */
export function formatAddress({ host, port }: Address): string {
  const shown = host === '' ? '::' : host;
  return shown.includes(':') ? `[${shown}]:${port}` : `${shown}:${port}`;
}

const bindProblems: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

/** 500 `listen tcp 127.0.0.1:3310: bind: address already in use`, and its like. */
export function listenError(address: Address, error: NodeJS.ErrnoException): ApiError {
  return new ApiError(`listen tcp ${formatAddress(address)}: bind: ${bindProblems[error.code ?? ''] ?? error.message}`, 500);
}
