/** The known server's side of the protocol: commands out of bytes, and an answer for each that a client of it may send. Pure. */

export interface KnownReply {
  bytes: string;
  /** An operation of the load, which has a due time; anything else is answered at once. */
  isOperation: boolean;
}

/** What every GET answers. */
const VALUE = 'v'.repeat(64);

const info = [
  '# Server',
  'redis_version:7.0.0',
  'redis_mode:standalone',
  'process_id:1',
  'uptime_in_seconds:1',
  '# Memory',
  'used_memory:1000000',
  'maxmemory:0',
  'maxmemory_policy:noeviction',
  '# Persistence',
  'loading:0',
  '# Replication',
  'role:master',
  'connected_slaves:0',
  `master_replid:${'0'.repeat(40)}`,
  'master_repl_offset:0',
  '# Cluster',
  'cluster_enabled:0',
  '',
].join('\r\n');

/** @param words of one command; the first in any case */
export function replyTo(words: readonly string[]): KnownReply {
  const name = (words[0] ?? '').toUpperCase();
  switch (name) {
    case 'GET':
      return operation(bulk(VALUE));
    case 'SET':
      return operation('+OK\r\n');
    case 'INCR':
      return operation(':1\r\n');
    case 'DEL':
      return operation(':1\r\n');
    default:
      return { bytes: controlReply(name, words), isOperation: false };
  }
}

function controlReply(name: string, words: readonly string[]): string {
  switch (name) {
    case 'PING':
      return '+PONG\r\n';
    case 'AUTH':
    case 'SELECT':
    case 'CLIENT':
    case 'READONLY':
      return '+OK\r\n';
    case 'HELLO':
      return hello(Number(words[1] ?? 2));
    case 'INFO':
      return bulk(info);
    case 'SCAN':
      return '*2\r\n$1\r\n0\r\n*0\r\n';
    case 'CONFIG':
    case 'COMMAND':
      return '*0\r\n';
    case 'DBSIZE':
    case 'EXISTS':
    case 'UNLINK':
      return ':0\r\n';
    case 'TIME':
      return '*2\r\n$1\r\n0\r\n$1\r\n0\r\n';
    default:
      return `-ERR unknown command '${name}'\r\n`;
  }
}

function hello(protocol: number): string {
  const fields = `${bulk('server')}${bulk('redis')}${bulk('version')}${bulk('7.0.0')}${bulk('proto')}:${protocol}\r\n${bulk('mode')}${bulk('standalone')}${bulk('role')}${bulk('master')}`;
  return protocol === 3 ? `%5\r\n${fields}` : `*10\r\n${fields}`;
}

function operation(bytes: string): KnownReply {
  return { bytes, isOperation: true };
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** Takes commands (arrays of bulk strings) out of a stream. Throws on anything else. */
export class CommandReader {
  #rest = '';

  /** All commands that are complete with this piece. @param piece as latin1 */
  push(piece: string): string[][] {
    const text = this.#rest === '' ? piece : this.#rest + piece;
    const commands: string[][] = [];
    let position = 0;
    for (;;) {
      const command = readCommand(text, position);
      if (command === null) break;
      commands.push(command.words);
      position = command.end;
    }
    this.#rest = text.slice(position);
    return commands;
  }
}

/** Null: not complete yet. */
function readCommand(text: string, start: number): { words: string[]; end: number } | null {
  const head = readNumber(text, start, '*');
  if (head === null) return null;
  const words: string[] = [];
  let position = head.end;
  for (let i = 0; i < head.value; i++) {
    const length = readNumber(text, position, '$');
    if (length === null || text.length < length.end + length.value + 2) return null;
    words.push(text.slice(length.end, length.end + length.value));
    position = length.end + length.value + 2;
  }
  return { words, end: position };
}

function readNumber(text: string, start: number, mark: string): { value: number; end: number } | null {
  if (start >= text.length) return null;
  if (text[start] !== mark) throw new Error(`expected ${mark}, got ${JSON.stringify(text.slice(start, start + 20))}`);
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd < 0) return null;
  return { value: Number(text.slice(start + 1, lineEnd)), end: lineEnd + 2 };
}
