/** How ioredis is told to log in, by what a worker knows of the target; beside the options that each use of it has. */
import type { RedisOptions } from 'ioredis';
import type { LoadEndpoints } from './client.js';

/** Node's names of what `tls` has. */
export function tlsOptions({ rejectUnauthorized, ca, cert, key, serverName }: NonNullable<LoadEndpoints['tls']>): NonNullable<RedisOptions['tls']> {
  return {
    rejectUnauthorized,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(serverName === null ? {} : { servername: serverName }),
  };
}

/** For a client that sentinels lead: TLS as to the servers, and their login where the sentinels want it. */
export function sentinelLogin({
  sentinels,
  username,
  password,
  tls,
}: Pick<LoadEndpoints, 'sentinels' | 'username' | 'password' | 'tls'>): Pick<
  RedisOptions,
  'sentinelUsername' | 'sentinelPassword' | 'sentinelTLS' | 'enableTLSForSentinelMode'
> {
  const isAsked = sentinels?.login === true;
  return {
    ...(isAsked && username !== null ? { sentinelUsername: username } : {}),
    ...(isAsked && password !== null ? { sentinelPassword: password } : {}),
    ...(tls === null ? {} : { sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true }),
  };
}
