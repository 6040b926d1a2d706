/**
 * The HTTP API of an embedded, Toxiproxy-compatible server: fourteen routes in one table on node:http. No web framework: none is a
 * dependency of kvbench, and what is particular here (error bodies sent as text/plain, replies by Go's rules) is what one would hide.
 * Started by embeddedWorker.ts, and by tests. It must never answer before a change is in force.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RandomStream } from '../../base/random.js';
import { formatAddress } from './address.js';
import { ApiError, badRequestBody } from './errors.js';
import { Metrics } from './metrics.js';
import { ProxyCollection } from './proxyCollection.js';
import { parseJson } from './requestBody.js';

/** A request that takes longer is answered with 503. */
const HANDLER_LIMIT_MS = 25_000;
const IDLE_LIMIT_MS = 60_000;
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
/** The sub-stream of request ids, below those of the links (tcpProxy.ts). */
const REQUEST_ID_STREAM = 999;

export interface ToxiproxyServerOptions {
  /**
   * Every random choice (the toxicity die, jitter, loss, cuts) is a draw of base/random.ts: the n-th link of a proxy of a given name
   * draws the same sequence in every server with the same seed. An integer ≥ 0, 0 when left out.
   */
  readonly seed?: number;
  /** Whether GET /metrics exists; it does not by default, as with Toxiproxy. */
  readonly metrics?: boolean;
  /** For tests; 25 s when left out. */
  readonly handlerLimitMs?: number;
}

interface Reply {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

interface Route {
  readonly methods: readonly string[];
  /** Segments of the path; `:name` takes any one. */
  readonly path: readonly string[];
  /** @param names what the `:` segments were @param body the request's, unparsed */
  readonly handle: (names: readonly string[], body: string) => Reply | Promise<Reply>;
}

export class ToxiproxyServer {
  readonly #metrics = new Metrics();
  readonly #proxies: ProxyCollection;
  readonly #routes: readonly Route[];
  readonly #server: Server;
  readonly #requestIds: RandomStream;
  readonly #handlerLimitMs: number;
  #requestCount = 0;

  constructor(options: ToxiproxyServerOptions = {}) {
    const seed = options.seed ?? 0;
    this.#proxies = new ProxyCollection({ seed, metrics: this.#metrics });
    this.#requestIds = new RandomStream(seed, REQUEST_ID_STREAM);
    this.#handlerLimitMs = options.handlerLimitMs ?? HANDLER_LIMIT_MS;
    this.#routes = [...this.#apiRoutes(), ...(options.metrics ? [this.#metricsRoute()] : [])];
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = IDLE_LIMIT_MS;
  }

  /** Listens; resolves with the base URL of the API. Rejects with Node's error when it cannot. */
  listen(host: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject);
        const bound = this.#server.address();
        if (bound === null || typeof bound === 'string') return reject(new Error('the API server has no address'));
        resolve(`http://${formatAddress({ host: bound.address, port: bound.port })}`);
      });
    });
  }

  /** Ends the API, all proxies and all their connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await this.#proxies.clear();
    await closed;
  }

  #apiRoutes(): Route[] {
    const proxies = this.#proxies;
    const proxyPath = ['proxies', ':proxy'];
    const toxicPath = [...proxyPath, 'toxics', ':toxic'];
    return [
      { methods: ['GET'], path: ['version'], handle: () => versionReply },
      {
        methods: ['POST'],
        path: ['reset'],
        handle: async () => {
          await proxies.reset();
          return noContent;
        },
      },
      { methods: ['GET'], path: ['proxies'], handle: () => json(200, proxies.byName) },
      { methods: ['POST'], path: ['proxies'], handle: async (_, body) => json(201, await proxies.create(parseJson(body))) },
      { methods: ['POST'], path: ['populate'], handle: (_, body) => this.#populate(body) },
      { methods: ['GET'], path: proxyPath, handle: ([proxy = '']) => json(200, proxies.get(proxy)) },
      {
        methods: ['POST', 'PATCH'],
        path: proxyPath,
        handle: async ([proxy = ''], body) => {
          proxies.get(proxy);
          return json(200, await proxies.update(proxy, parseJson(body)));
        },
      },
      {
        methods: ['DELETE'],
        path: proxyPath,
        handle: async ([proxy = '']) => {
          await proxies.remove(proxy);
          return noContent;
        },
      },
      { methods: ['GET'], path: [...proxyPath, 'toxics'], handle: ([proxy = '']) => json(200, proxies.get(proxy).toxics.all) },
      {
        methods: ['POST'],
        path: [...proxyPath, 'toxics'],
        handle: ([proxy = ''], body) => json(200, proxies.get(proxy).toxics.add(parseJson(body))),
      },
      { methods: ['GET'], path: toxicPath, handle: ([proxy = '', toxic = '']) => json(200, proxies.get(proxy).toxics.get(toxic)) },
      {
        methods: ['POST', 'PATCH'],
        path: toxicPath,
        handle: ([proxy = '', toxic = ''], body) => {
          const { toxics } = proxies.get(proxy);
          toxics.get(toxic);
          return json(200, toxics.update(toxic, parseJson(body)));
        },
      },
      {
        methods: ['DELETE'],
        path: toxicPath,
        handle: ([proxy = '', toxic = '']) => {
          proxies.get(proxy).toxics.remove(toxic);
          return noContent;
        },
      },
    ];
  }

  #metricsRoute(): Route {
    const handle = (): Reply => ({ status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: this.#metrics.render() });
    return { methods: ['GET', 'POST', 'PATCH', 'DELETE'], path: ['metrics'], handle };
  }

  async #populate(body: string): Promise<Reply> {
    let error: ApiError | null;
    let proxies: readonly unknown[] = [];
    try {
      ({ proxies, error } = await this.#proxies.populate(parseJson(body)));
    } catch (thrown) {
      error = asApiError(thrown);
    }
    const shown = { proxies: proxies.length > 0 ? proxies : null };
    return error === null ? json(201, shown) : json(error.status, { error: error.message, status: error.status, ...shown });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const segments = pathSegments(request.url ?? '/');
    const matching = this.#routes.filter((route) => matches(route.path, segments));
    const route = matching.find(({ methods }) => methods.includes(request.method ?? ''));
    if (route === undefined) {
      request.resume();
      return send(response, matching.length > 0 ? { status: 405, body: '' } : text(404, '404 page not found\n'));
    }
    response.setHeader('X-Toxiproxy-Request-Id', this.#nextRequestId());
    if (request.headers['user-agent']?.startsWith('Mozilla/')) {
      request.resume();
      return send(response, text(403, 'User agent not allowed\n'));
    }
    const limit = setTimeout(() => send(response, { status: 503, body: '' }), this.#handlerLimitMs);
    try {
      const names = segments.filter((_, index) => route.path[index]?.startsWith(':'));
      send(response, await route.handle(names, await readBody(request)));
    } catch (error) {
      const { message, status } = asApiError(error);
      send(response, text(status, `${JSON.stringify({ error: message, status })}\n`));
    } finally {
      clearTimeout(limit);
    }
  }

  #nextRequestId(): string {
    const count = this.#requestCount++;
    return this.#requestIds.u32(count).toString(16).padStart(8, '0') + count.toString(16).padStart(12, '0');
  }
}

const noContent: Reply = { status: 204, body: '' };
const versionReply: Reply = { status: 200, contentType: 'application/json;charset=utf-8', body: '{"version": "git"}\n' };

function json(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}

function text(status: number, body: string): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

function asApiError(thrown: unknown): ApiError {
  return thrown instanceof ApiError ? thrown : new ApiError(thrown instanceof Error ? thrown.message : String(thrown), 500);
}

function pathSegments(url: string): string[] {
  const path = url.split('?', 1)[0] ?? '';
  return path
    .split('/')
    .slice(1)
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

function matches(path: readonly string[], segments: readonly string[]): boolean {
  return path.length === segments.length && path.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]));
}

/** Sends a reply, unless the time limit has sent another. */
function send(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  if (reply.contentType !== undefined) response.setHeader('Content-Type', reply.contentType);
  if (reply.contentType?.startsWith('text/plain; charset')) response.setHeader('X-Content-Type-Options', 'nosniff');
  response.writeHead(reply.status);
  response.end(reply.body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    lengthBytes += chunk.length;
    // Read to its end even so: leaving would cut the connection before the answer.
    if (lengthBytes <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  if (lengthBytes > BODY_LIMIT_BYTES) throw badRequestBody('http: request body too large');
  return Buffer.concat(chunks).toString('utf8');
}
