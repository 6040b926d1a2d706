/**
 * Reads the text that CLUSTER NODES answers (Redis 4 to 8, Valkey). Used by lab readiness, external targets and the observer.
 * Pure; flags and fields it does not know are kept or skipped, never an error.
 */

/** One line: what one node knows about one node. */
export interface ClusterNodeLine {
  /** 40 hex digits. */
  clusterId: string;
  /** Empty when the answering node does not know its own address yet. */
  host: string;
  port: number;
  busPort: number;
  /** Null when none is announced. */
  hostname: string | null;
  /** As given: `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, `noaddr`, `nofailover`. */
  flags: string[];
  myself: boolean;
  role: 'master' | 'replica' | 'unknown';
  /** Suspected (`pfail`), agreed by a majority (`fail`) or neither. */
  failure: 'ok' | 'pfail' | 'fail';
  /** clusterId of its master; null for masters. */
  masterClusterId: string | null;
  /** For a replica this is its master's. */
  configEpoch: number;
  /** Of the answering node's link to it. */
  linkConnected: boolean;
  /** Inclusive ranges in the server's order. */
  slots: [number, number][];
  /** Slots on their way: out of this node, or into it. Only in the line of `myself`. */
  migrating: { slot: number; toClusterId: string }[];
  importing: { slot: number; fromClusterId: string }[];
}

/** All lines, in the server's order; lines that are not of this form are skipped. */
export function parseClusterNodes(text: string): ClusterNodeLine[] {
  const lines: ClusterNodeLine[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(' ');
    if (fields.length >= 8) lines.push(parseLine(fields));
  }
  return lines;
}

function parseLine(fields: string[]): ClusterNodeLine {
  const [clusterId = '', endpoint = '', flagText = '', master = '-', , , epoch = '0', link = ''] = fields;
  const flags = flagText.split(',');
  const slots: [number, number][] = [];
  const migrating: ClusterNodeLine['migrating'] = [];
  const importing: ClusterNodeLine['importing'] = [];
  for (const field of fields.slice(8)) {
    const move = /^\[(\d+)-([<>])-([0-9a-f]+)\]$/.exec(field);
    const range = /^(\d+)(?:-(\d+))?$/.exec(field);
    if (move?.[2] === '>') migrating.push({ slot: Number(move[1]), toClusterId: move[3] ?? '' });
    else if (move) importing.push({ slot: Number(move[1]), fromClusterId: move[3] ?? '' });
    else if (range) slots.push([Number(range[1]), Number(range[2] ?? range[1])]);
  }
  return {
    clusterId,
    ...parseEndpoint(endpoint),
    flags,
    myself: flags.includes('myself'),
    role: flags.includes('master') ? 'master' : flags.includes('slave') || flags.includes('replica') ? 'replica' : 'unknown',
    failure: flags.includes('fail') ? 'fail' : flags.includes('fail?') ? 'pfail' : 'ok',
    masterClusterId: master === '-' ? null : master,
    configEpoch: Number(epoch) || 0,
    linkConnected: link === 'connected',
    slots,
    migrating,
    importing,
  };
}

/** `ip:port@busPort[,hostname][,key=value…]`; the address may hold colons (IPv6) or be empty. */
function parseEndpoint(text: string): { host: string; port: number; busPort: number; hostname: string | null } {
  const [address = '', ...extras] = text.split(',');
  const match = /^(.*):(\d+)(?:@(\d+))?$/.exec(address);
  const hostname = extras.find((extra) => extra !== '' && !extra.includes('='));
  return { host: match?.[1] ?? '', port: Number(match?.[2] ?? 0), busPort: Number(match?.[3] ?? 0), hostname: hostname ?? null };
}
