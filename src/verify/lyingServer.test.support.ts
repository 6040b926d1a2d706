/** A server that speaks enough of Redis' protocol to be loaded and read back, and lies where a test tells it to. Never used by the product. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export type Store = Map<string, Buffer>;
/** A reply in place of the honest one, which is then not carried out; null: it is honest; `hangUp`: the connection ends in place of a reply. */
export type Lie = (name: string, args: readonly Buffer[], store: Store) => Buffer | 'hangUp' | null;

export class LyingServer {
  readonly store: Store = new Map();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(readonly lie: Lie) {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(lie: Lie = () => null): Promise<LyingServer> {
    const server = new LyingServer(lie);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let command = takeCommand(rest); command !== null; command = takeCommand(rest)) {
        rest = rest.subarray(command.end);
        const [name = Buffer.alloc(0), ...args] = command.parts;
        const answer = this.#answer(name.toString().toLowerCase(), args);
        if (answer === 'hangUp') return socket.destroy();
        socket.write(answer);
      }
    });
  }

  #answer(name: string, args: readonly Buffer[]): Buffer | 'hangUp' {
    return this.lie(name, args, this.store) ?? answerOf(name, args, this.store);
  }
}

function answerOf(name: string, args: readonly Buffer[], store: Store): Buffer {
  const key = args[0]?.toString() ?? '';
  switch (name) {
    case 'get':
      return bulk(store.get(key));
    case 'set':
      store.set(key, args[1] ?? Buffer.alloc(0));
      return simple('OK');
    case 'incr': {
      const value = Number(store.get(key)?.toString() ?? '0') + 1;
      store.set(key, Buffer.from(String(value)));
      return integer(value);
    }
    case 'del':
      return integer(store.delete(key) ? 1 : 0);
    case 'hello':
      return Buffer.from('%1\r\n$5\r\nproto\r\n:3\r\n');
    case 'info':
      return bulk(Buffer.from('# Stats\r\nevicted_keys:0\r\nexpired_keys:0\r\n'));
    default:
      return simple('OK');
  }
}

export function simple(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`);
}

export function integer(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

export function bulk(value: Buffer | undefined): Buffer {
  return value === undefined ? Buffer.from('$-1\r\n') : Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
}

/** The first whole command and where it ends. */
function takeCommand(bytes: Buffer): { parts: Buffer[]; end: number } | null {
  const head = lineAt(bytes, 0);
  if (head === null) return null;
  const parts: Buffer[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const length = lineAt(bytes, at);
    if (length === null) return null;
    const from = length.end;
    at = from + Number(length.text.slice(1)) + 2;
    if (at > bytes.length) return null;
    parts.push(bytes.subarray(from, at - 2));
  }
  return { parts, end: at };
}

function lineAt(bytes: Buffer, at: number): { text: string; end: number } | null {
  const end = bytes.indexOf('\r\n', at);
  return end < 0 ? null : { text: bytes.toString('latin1', at, end), end: end + 2 };
}
