/**
 * Reads lines of a Redis or Valkey server log: when the server wrote a line and what it means for a run. Called by `observer.ts`
 * with what `logTail.ts` delivers. Pure: it never reads a clock, and a line it does not know is silence, never an error.
 *
 * The wording is that of `cluster.c`/`cluster_legacy.c`, `replication.c` and `server.c` of Redis 6.2, 7.0 (bare node ids), 7.2 to 8
 * (`<id> (<name>)`) and Valkey 7.2 to 9 ("primary" for "master", more text at the end of some lines). Events of Sentinel are those of `sentinel.c`.
 */
import type { LogKind } from '../result/records.js';

/** A line as the server wrote it, with the time of its own stamp. */
export interface LogLine {
  /** The stamp as ms since the epoch; resolution 1 ms, always rounded down by the server. */
  wallMs: number;
  /** M master, S replica, C a forked child, X Sentinel. */
  role: 'M' | 'S' | 'C' | 'X';
  /** `#` warning (before Redis 7.2 also notices of weight), `*` notice, `-` verbose, `.` debug. */
  level: '#' | '*' | '-' | '.';
  text: string;
}

export interface LogMeaning {
  log: LogKind;
  /** What the line is about, as the server names it: 40 hexadecimal digits of a cluster node id, `host:port`, or null. */
  subject: string | null;
}

const QUARTER_HOUR_MS = 900_000;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const linePattern = /^\d+:([MSCX]) (.+?) ([#*.-]) (.*)$/;
const legacyStamp = /^(\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2})\.(\d{3})$/;
const isoStamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}[+-]\d{2}:\d{2}$/;
const millisecondsStamp = /^\d{13}$/;

/**
 * Parses `7115:S 21 Nov 2026 14:19:04.319 # text`, and the `iso8601` and `milliseconds` stamps that Valkey can be set to.
 * Null for everything else (the start-up art, crash reports, the signal handler's line, Valkey's `logfmt`).
 *
 * @param nearMs wall clock when the line was read, ms since the epoch. The usual stamp is local time without a zone: as every zone is
 * whole quarter hours from UTC and a line is read soon after it was written, the quarter hour that brings it nearest is the right one.
 * So neither the server's TZ nor the hour that comes twice in autumn matters.
 */
export function parseLogLine(line: string, nearMs: number): LogLine | null {
  const match = linePattern.exec(line);
  if (!match) return null;
  const [, role, stamp, level, text] = match;
  const wallMs = parseStamp(stamp ?? '', nearMs);
  if (wallMs === null) return null;
  return { wallMs, role: role as LogLine['role'], level: level as LogLine['level'], text: text ?? '' };
}

function parseStamp(stamp: string, nearMs: number): number | null {
  const legacy = legacyStamp.exec(stamp);
  if (legacy) {
    const [, day, month, year, hour, minute, second, ms] = legacy;
    const monthIndex = months.indexOf(month ?? '');
    if (monthIndex < 0) return null;
    const asUtcMs = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second), Number(ms));
    return asUtcMs + Math.round((nearMs - asUtcMs) / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
  }
  if (isoStamp.test(stamp)) return Date.parse(stamp);
  if (millisecondsStamp.test(stamp)) return Number(stamp);
  return null;
}

/** A node as `cluster_legacy.c` writes it: `<id>` or, from Redis 7.2 and Valkey on, `<id> (<human name>)`. */
const nodeId = '([0-9a-f]{40})(?: \\([^)]*\\))?';

/** An instance as `sentinel.c` writes it: its type, its name, and then host and port. */
const instance = '(?:master|primary|slave|replica|sentinel) \\S+ (\\S+) (\\d+)';

/** Events of Sentinel, in its log and on its channels alike: the name of the event, then whom it is about. */
const sentinelMeanings: readonly { log: LogKind; pattern: RegExp }[] = [
  { log: 'sdown', pattern: new RegExp(`^\\+sdown ${instance}`) },
  { log: 'odown', pattern: new RegExp(`^\\+odown ${instance}`) },
  { log: 'downCleared', pattern: new RegExp(`^-[so]down ${instance}`) },
  { log: 'tryFailover', pattern: new RegExp(`^\\+try-failover ${instance}`) },
  { log: 'electedLeader', pattern: new RegExp(`^\\+elected-leader ${instance}`) },
  { log: 'selectedReplica', pattern: new RegExp(`^\\+selected-(?:slave|replica) ${instance}`) },
  { log: 'promotedReplica', pattern: new RegExp(`^\\+promoted-(?:slave|replica) ${instance}`) },
  // The name, the old address, the new one.
  { log: 'switchMaster', pattern: /^\+switch-(?:master|primary) \S+ (\S+) (\d+) \S+ \d+/ },
  { log: 'failoverEnd', pattern: new RegExp(`^\\+failover-end(?:-for-timeout)? ${instance}`) },
  { log: 'failoverAborted', pattern: new RegExp(`^-failover-abort-\\S+ ${instance}`) },
  { log: 'convertedToReplica', pattern: new RegExp(`^\\+convert-to-(?:slave|replica) ${instance}`) },
  { log: 'tilt', pattern: /^\+tilt\b/ },
];

/** In order of frequency of use; the first that fits counts. A capture group is the subject, two are its host and port. */
const meanings: readonly { log: LogKind; pattern: RegExp }[] = [
  ...sentinelMeanings,
  { log: 'markingFailing', pattern: new RegExp(`^Marking node ${nodeId} as failing`) },
  { log: 'failReceived', pattern: new RegExp(`^FAIL message received from [0-9a-f]{40}(?: \\([^)]*\\))? about ${nodeId}`) },
  { log: 'failCleared', pattern: new RegExp(`^Clear FAIL state for node ${nodeId}:`) },
  { log: 'electionDelayed', pattern: /^Start of election delayed for \d+ milliseconds/ },
  { log: 'electionStarted', pattern: /^Starting a failover election for epoch \d+/ },
  // Won by vote, taken without one (CLUSTER FAILOVER TAKEOVER), or made by hand or Sentinel (REPLICAOF NO ONE).
  { log: 'promoted', pattern: /^Failover election won: I'm the new (?:master|primary)/ },
  { log: 'promoted', pattern: /^Taking over the (?:master|primary) \(user request/ },
  { log: 'promoted', pattern: /^(?:MASTER|PRIMARY) MODE enabled \(/ },
  { log: 'clusterStateOk', pattern: /^Cluster state changed: ok/ },
  { log: 'clusterStateFail', pattern: /^Cluster state changed: fail/ },
  // "sync started" itself is repeated every second while the master is dead; this is the attempt that found a live one.
  { log: 'replicaSyncStart', pattern: /^(?:Master|Primary) replied to PING, replication can continue/ },
  { log: 'replicaSyncDone', pattern: /^(?:MASTER|PRIMARY) <-> (?:REPLICA|SLAVE) sync: Finished with success/ },
  { log: 'replicaSyncDone', pattern: /^(?:MASTER|PRIMARY) <-> (?:REPLICA|SLAVE) sync: (?:Master|Primary) accepted a Partial Resynchronization/ },
  { log: 'ready', pattern: /^Ready to accept connections/ },
  { log: 'ready', pattern: /^The server is now ready to accept connections/ },
  { log: 'shutdown', pattern: /^User requested shutdown/ },
  { log: 'warning', pattern: new RegExp(`^Configuration change detected\\. Reconfiguring myself as a replica of (?:node )?${nodeId}`) },
  { log: 'warning', pattern: new RegExp(`^Failover auth denied to ${nodeId}`) },
  { log: 'warning', pattern: /^(?:Failover attempt expired|Currently unable to failover|Manual failover)/ },
  { log: 'warning', pattern: /^Connection with (?:master|primary) lost/ },
  { log: 'warning', pattern: /^Connection with (?:replica|slave) (\S+:\d+) lost/ },
  { log: 'warning', pattern: /^Disconnecting timedout (?:replica|slave)/ },
  { log: 'warning', pattern: /scheduled to be closed ASAP for overcoming of output buffer limits/ },
  { log: 'warning', pattern: /^Asynchronous AOF fsync is taking too long/ },
  { log: 'warning', pattern: /^(?:Can't save in background|Background saving error|Write error|Error writing to the AOF file|Failed opening)/ },
  { log: 'warning', pattern: /^WARNING: configEpoch collision/ },
  { log: 'warning', pattern: /(?:REDIS|VALKEY|KV) BUG REPORT START|crashed by signal/ },
];

/** What a line's text means for a run; null when it does not matter. */
export function meaningOf(text: string): LogMeaning | null {
  for (const { log, pattern } of meanings) {
    const match = pattern.exec(text);
    if (match) return { log, subject: match[2] === undefined ? (match[1] ?? null) : `${match[1]}:${match[2]}` };
  }
  return null;
}
