/** Commands that a workload may not bring along, and why. Used by customCommand.ts and the checks of a profile; pure. */

/** `WORD`: every form of it; `WORD SUB`: that form. */
type Table = Readonly<Record<string, string>>;

const push = 'it makes the server send more than one reply, or none';
const transaction = 'a transaction spans several commands, and connections are shared; write a script (EVAL) instead';
const blocking = 'it blocks the connection, and with it the operations behind it';
const connection = 'it changes the connection, which kvbench shares between operations';

/** What breaks the rule that every command has one reply, at once, whichever connection it takes. */
const everywhere: Table = {
  ...same(push, 'SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE', 'MONITOR', 'SYNC', 'PSYNC', 'REPLCONF'),
  ...same(push, 'CLIENT REPLY', 'CLIENT TRACKING'),
  ...same(transaction, 'MULTI', 'EXEC', 'DISCARD', 'WATCH', 'UNWATCH'),
  ...same(blocking, 'BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX', 'BZMPOP', 'WAIT', 'WAITAOF', 'CLIENT PAUSE'),
  ...same(connection, 'HELLO', 'AUTH', 'SELECT', 'QUIT', 'RESET', 'ASKING', 'READONLY', 'READWRITE', 'CLIENT SETNAME', 'CLIENT KILL'),
  SHUTDOWN: 'it ends the server without a reply; a kill fault does that, and heals it',
};

const data = 'it touches keys that are not this run’s';
const server = 'it changes the server for all its users';

/** What a guest does not do. */
const external: Table = {
  ...same(data, 'FLUSHALL', 'FLUSHDB', 'SWAPDB', 'MOVE', 'MIGRATE'),
  ...same(server, 'DEBUG', 'SAVE', 'BGSAVE', 'BGREWRITEAOF', 'REPLICAOF', 'SLAVEOF', 'FAILOVER', 'MODULE', 'ACL', 'SENTINEL', 'CLUSTER'),
  ...same(server, 'CONFIG', 'SCRIPT FLUSH', 'SCRIPT KILL', 'FUNCTION', 'LATENCY RESET', 'SLOWLOG RESET', 'MEMORY PURGE', 'CLIENT UNPAUSE'),
};

/** Calls of the worst ones in the text of a script. */
const scripted = /\b(flushall|flushdb|swapdb)\b/i;

/** Why a command is refused; null: it is not. `words`: its name comes first. */
export function refusalOf(words: readonly string[], isExternal: boolean): string | null {
  const [name = '', sub = ''] = words.map((word) => word.toUpperCase());
  const why = everywhere[name] ?? everywhere[`${name} ${sub}`];
  if (why !== undefined) return why;
  if ((name === 'XREAD' || name === 'XREADGROUP') && words.some((word) => word.toUpperCase() === 'BLOCK')) return blocking;
  if (!isExternal) return null;
  const guest = external[name] ?? external[`${name} ${sub}`];
  if (guest !== undefined) return `${guest}, and this target is external`;
  if (/^EVAL/.test(name) && scripted.test(sub)) return `its script flushes: ${data}, and this target is external`;
  return null;
}

function same(why: string, ...commands: string[]): Table {
  return Object.fromEntries(commands.map((command) => [command, why]));
}
