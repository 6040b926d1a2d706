/**
 * Sockets and servers for the tests of this folder: an in-process server with one proxy in front of a scripted upstream, and waits that
 * fail loudly. Used by tests only; kept out of the package by its name.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ToxiproxyServer, type ToxiproxyServerOptions } from './server.js';

/** Generous: what is awaited happens within milliseconds on an idle machine. */
export const LIMIT_MS = 8_000;

/** Rejects with `what` when the promise takes longer than the limit. */
export async function within<T>(what: string, promise: Promise<T>, limitMs: number = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not happen within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again every few milliseconds until the condition holds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  let isOver = false;
  const look = async (): Promise<void> => {
    while (!isOver && !(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  try {
    await within(what, look());
  } finally {
    isOver = true;
  }
}

/** What a socket has lived through, from now on. */
export class Watched {
  readonly chunks: Buffer[] = [];
  receivedBytes = 0;
  ended = false;
  closed = false;
  errorCode: string | null = null;
  readonly #changed: (() => void)[] = [];

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.receivedBytes += chunk.length;
      this.#notify();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#notify();
    });
  }

  get data(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Waits for that many bytes in all. */
  bytes(count: number): Promise<void> {
    return this.#wait(`${count} bytes received`, () => this.receivedBytes >= count);
  }

  bytesOrEnd(count: number): Promise<void> {
    return this.#wait(`${count} bytes or the end`, () => this.receivedBytes >= count || this.ended || this.closed);
  }

  end(): Promise<void> {
    return this.#wait('end of the stream', () => this.ended || this.closed);
  }

  close(): Promise<void> {
    return this.#wait('close of the connection', () => this.closed);
  }

  async #wait(what: string, condition: () => boolean): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      const look = (): void => {
        if (condition()) resolve();
      };
      this.#changed.push(look);
      look();
    });
    await within(`${what} (have ${this.receivedBytes} bytes, ended ${this.ended}, closed ${this.closed})`, reached);
  }

  #notify(): void {
    for (const look of this.#changed) look();
  }
}

/** Connects, half-open allowed so that a test decides when to close. */
export async function dial(address: string): Promise<Watched> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
  const watched = new Watched(socket);
  const settled = new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  await within(`connect to ${address}`, settled);
  return watched;
}

/** The code of the error that connecting ends in, or null if it connects. */
export async function dialError(address: string): Promise<string | null> {
  const watched = await dial(address);
  watched.socket.destroy();
  return watched.errorCode;
}

/** Sends everything back. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** A server that keeps the connections it has accepted. */
export class Upstream {
  readonly accepted: Watched[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param onConnection what to do with a connection; nothing: just watch it */
  constructor(onConnection: (socket: Socket) => void = () => {}) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      this.accepted.push(new Watched(socket));
      onConnection(socket);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `127.0.0.1:${address.port}`;
  }

  /** The n-th connection, once it is there. */
  async connection(index: number): Promise<Watched> {
    await until(`connection ${index} at the upstream`, () => this.accepted.length > index);
    return this.accepted[index] as Watched;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A request to the API; fails on any status but 2xx. */
export async function call(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

export interface ToxicBody {
  type: string;
  name?: string;
  stream?: 'upstream' | 'downstream';
  toxicity?: number;
  attributes?: Record<string, number>;
}

/** An in-process server with one proxy, `p`, in front of an upstream. */
export class Bench {
  readonly upstream: Upstream;
  readonly #server: ToxiproxyServer;
  url = '';
  /** Where the proxy listens. */
  address = '';
  upstreamAddress = '';

  private constructor(onConnection: ((socket: Socket) => void) | undefined, options: ToxiproxyServerOptions) {
    this.upstream = new Upstream(onConnection);
    this.#server = new ToxiproxyServer({ metrics: true, ...options });
  }

  static async start(onConnection?: (socket: Socket) => void, options: ToxiproxyServerOptions = {}): Promise<Bench> {
    const bench = new Bench(onConnection, options);
    bench.upstreamAddress = await bench.upstream.listen();
    bench.url = await bench.#server.listen('127.0.0.1', 0);
    const proxy = await call('POST', `${bench.url}/proxies`, { name: 'p', listen: '127.0.0.1:0', upstream: bench.upstreamAddress });
    bench.address = (proxy as { listen: string }).listen;
    return bench;
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.upstream.close();
  }

  connect(): Promise<Watched> {
    return dial(this.address);
  }

  addToxic(toxic: ToxicBody): Promise<unknown> {
    return call('POST', `${this.url}/proxies/p/toxics`, toxic);
  }

  updateToxic(name: string, change: Partial<ToxicBody>): Promise<unknown> {
    return call('PATCH', `${this.url}/proxies/p/toxics/${name}`, change);
  }

  removeToxic(name: string): Promise<unknown> {
    return call('DELETE', `${this.url}/proxies/p/toxics/${name}`);
  }

  update(change: Record<string, unknown>): Promise<unknown> {
    return call('PATCH', `${this.url}/proxies/p`, change);
  }

  /** Bytes the proxy has read from, or written to, one side. */
  async traffic(what: 'received' | 'sent', direction: 'upstream' | 'downstream'): Promise<number> {
    const page = await (await fetch(`${this.url}/metrics`)).text();
    const line = page.split('\n').find((text) => text.startsWith(`toxiproxy_proxy_${what}_bytes_total{direction="${direction}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }
}
