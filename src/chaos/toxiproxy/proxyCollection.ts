/**
 * All proxies of a server by name, and the changes the API makes to them, one at a time: two requests for the same name never race.
 * Called by server.ts. A proxy that could not be started is never registered.
 */
import { ApiError, missingField, proxyAlreadyExists, proxyNotFound } from './errors.js';
import { asArray, asObject, booleanMember, textMember } from './requestBody.js';
import { type ProxyContext, type ProxySettings, TcpProxy } from './tcpProxy.js';

/** What populate did: the proxies that are in place, and the error that stopped it, if any. */
export interface Populated {
  readonly proxies: readonly TcpProxy[];
  readonly error: ApiError | null;
}

export class ProxyCollection {
  readonly #context: ProxyContext;
  readonly #proxies = new Map<string, TcpProxy>();
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  /** By name, in order of the names. */
  get byName(): Record<string, TcpProxy> {
    return Object.fromEntries([...this.#proxies].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Throws 404. */
  get(name: string): TcpProxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw proxyNotFound();
    return proxy;
  }

  /** POST /proxies. Throws 400, 409, 500. */
  create(body: unknown): Promise<TcpProxy> {
    return this.#exclusively(async () => {
      const fields = asObject(body, 'proxy');
      const enabled = booleanMember(fields, 'enabled', true);
      const settings = readSettings(body, '');
      if (this.#proxies.has(settings.name)) throw proxyAlreadyExists();
      const proxy = new TcpProxy(settings, this.#context);
      if (enabled) await proxy.start();
      this.#proxies.set(proxy.name, proxy);
      return proxy;
    });
  }

  /** POST or PATCH of a proxy: what is missing keeps its value. Throws 400, 404, 500. */
  update(name: string, body: unknown): Promise<TcpProxy> {
    return this.#exclusively(async () => {
      const proxy = this.get(name);
      const fields = asObject(body, 'proxy');
      const listen = textMember(fields, 'listen', proxy.listen);
      const upstream = textMember(fields, 'upstream', proxy.upstream);
      await proxy.update(listen, upstream, booleanMember(fields, 'enabled', proxy.enabled));
      return proxy;
    });
  }

  /** Throws 404. */
  remove(name: string): Promise<void> {
    return this.#exclusively(async () => {
      const proxy = this.get(name);
      await proxy.stop();
      this.#proxies.delete(name);
    });
  }

  /** POST /populate: all names and upstreams are checked first; a later failure keeps what is in place. Throws nothing of the API's. */
  populate(body: unknown): Promise<Populated> {
    return this.#exclusively(async () => {
      const proxies: TcpProxy[] = [];
      try {
        const wanted = asArray(body, 'proxies').map((entry, index) => ({
          settings: readSettings(entry, ` at proxy ${index + 1}`),
          enabled: booleanMember(asObject(entry, 'proxy'), 'enabled', true),
        }));
        for (const { settings, enabled } of wanted) proxies.push(await this.#addOrReplace(settings, enabled));
        return { proxies, error: null };
      } catch (error) {
        if (error instanceof ApiError) return { proxies, error };
        throw error;
      }
    });
  }

  /** POST /reset: enables every proxy and removes all toxics. Throws 500 when one cannot be started; the ones before it are reset. */
  reset(): Promise<void> {
    return this.#exclusively(async () => {
      for (const proxy of this.#proxies.values()) {
        await proxy.start();
        proxy.toxics.removeAll();
      }
    });
  }

  /** Stops and forgets every proxy. */
  clear(): Promise<void> {
    return this.#exclusively(async () => {
      for (const proxy of this.#proxies.values()) await proxy.stop();
      this.#proxies.clear();
    });
  }

  /** The same addresses leave a proxy alone, toxics and `enabled` included. */
  async #addOrReplace(settings: ProxySettings, enabled: boolean): Promise<TcpProxy> {
    const existing = this.#proxies.get(settings.name);
    if (existing !== undefined) {
      if (!(await existing.differs(settings.listen, settings.upstream))) return existing;
      await existing.stop();
    }
    const proxy = new TcpProxy(settings, this.#context);
    if (enabled) await proxy.start();
    this.#proxies.set(proxy.name, proxy);
    return proxy;
  }

  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(change);
    this.#lastChange = result.catch(() => {});
    return result;
  }
}

/** @param place appended to the name of a missing field, as ` at proxy 2` */
function readSettings(body: unknown, place: string): ProxySettings {
  const fields = asObject(body, 'proxy');
  const settings = { name: textMember(fields, 'name', ''), listen: textMember(fields, 'listen', ''), upstream: textMember(fields, 'upstream', '') };
  if (settings.name === '') throw missingField(`name${place}`);
  if (settings.upstream === '') throw missingField(`upstream${place}`);
  return settings;
}
