/**
 * Reads the text that INFO answers (Redis and Valkey, any version). Used by lab readiness, the checks of external targets and
 * the observer. Pure; it must never throw on a field it does not know.
 */

/** What INFO replication says of one node. Offsets are bytes of the replication stream. */
export interface ReplicationInfo {
  role: 'master' | 'replica';
  /** Changes when the node starts a new replication history. */
  replicationId: string;
  masterReplOffset: number;
  /** The replicas connected to this node; empty on a replica without sub-replicas. */
  replicas: ReplicaLine[];
  /** On a replica: its master as `host:port`; null on a master. */
  masterAddress: string | null;
  /** On a replica only. Up does not mean in sync (see inSync.ts). */
  masterLinkUp: boolean;
  /** On a replica only: a full copy is being received. */
  syncInProgress: boolean;
}

/** One `slaveN:` line of a master. */
export interface ReplicaLine {
  /** `host:port` as the replica announces it. */
  address: string;
  /** `wait_bgsave`, `send_bulk` or `online`. */
  state: string;
  /** The last offset the replica acknowledged; 0 before its first acknowledgement. */
  offset: number;
  /** Seconds since that acknowledgement; -1 where the server doesn't say. */
  lagSec: number;
}

/** `key:value` lines of INFO as a map; section titles and empty lines are skipped. */
export function parseInfo(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const trimmed = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const colon = trimmed.indexOf(':');
    if (colon > 0) fields.set(trimmed.slice(0, colon), trimmed.slice(colon + 1));
  }
  return fields;
}

/** The answer to INFO replication (or a whole INFO); null when the text has no role, e.g. because it was cut. */
export function parseReplicationInfo(text: string): ReplicationInfo | null {
  const fields = parseInfo(text);
  const role = fields.get('role');
  if (role === undefined) return null;
  const replicas: ReplicaLine[] = [];
  for (const [key, value] of fields) {
    if (/^(slave|replica)\d+$/.test(key)) replicas.push(parseReplicaLine(value));
  }
  const masterHost = fields.get('master_host');
  return {
    role: role === 'master' || role === 'primary' ? 'master' : 'replica',
    replicationId: fields.get('master_replid') ?? '',
    masterReplOffset: integer(fields.get('master_repl_offset'), 0),
    replicas,
    masterAddress: masterHost === undefined ? null : `${masterHost}:${fields.get('master_port') ?? ''}`,
    masterLinkUp: fields.get('master_link_status') === 'up',
    syncInProgress: fields.get('master_sync_in_progress') === '1',
  };
}

/** `ip=127.0.0.1,port=7003,state=online,offset=42,lag=0` (newer servers append more). */
function parseReplicaLine(value: string): ReplicaLine {
  const parts = new Map<string, string>();
  for (const part of value.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return {
    address: `${parts.get('ip') ?? ''}:${parts.get('port') ?? ''}`,
    state: parts.get('state') ?? '',
    offset: integer(parts.get('offset'), 0),
    lagSec: integer(parts.get('lag'), -1),
  };
}

function integer(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? Number.NaN : Number.parseInt(text, 10);
  return Number.isNaN(value) ? otherwise : value;
}

/** The answer to SENTINEL GET-MASTER-ADDR-BY-NAME as `host:port`; null where it knows no such master. */
export function parseMasterAddress(reply: unknown): string | null {
  return Array.isArray(reply) && reply.length === 2 ? `${String(reply[0])}:${String(reply[1])}` : null;
}

/** Alternating names and values, as RESP2 has maps. */
export function fieldsOf(reply: unknown): Map<string, string> {
  const fields = new Map<string, string>();
  if (!Array.isArray(reply)) return fields;
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}
