/** The links of a run, each a proxy of its own: who calls whom, and for what. Used by the proxies, the mesh and the faults. Pure. */

/** `sentinel`: between sentinels, and from a sentinel to a server. */
export const linkChannels = ['client', 'replication', 'bus', 'sentinel'] as const;
export type LinkChannel = (typeof linkChannels)[number];

/** One directed link: the connections that `from` opens to `to`. Data goes both ways on it. */
export interface LinkRef {
  /** A node's id; on a client link the name of a client group. */
  readonly from: string;
  readonly to: string;
  readonly channel: LinkChannel;
}

/** Different for every link; part of a proxy's name. */
export function linkKey({ from, to, channel }: LinkRef): string {
  return `${from}-${to}-${channel}`;
}

/** For messages. */
export function linkText({ from, to, channel }: LinkRef): string {
  return channel === 'client' ? `the link of ${from} to ${to}` : `the ${channel} link from ${from} to ${to}`;
}
