/**
 * The transport that `toxiproxy-node-client` is given. The client's own throws the text of an error reply away, keeps connections that
 * the other side may just have closed, and waits for ever; this one tells what Toxiproxy said and has a limit. Used by proxies.ts.
 */
import { ToxiproxyError } from 'toxiproxy-node-client';
import { HttpClient, type HttpResponse } from 'toxiproxy-node-client/dist/HttpClient.js';
import { messageOf } from '../base/errors.js';

/** One request to the control API. Some versions hang on removing a toxic. */
const REQUEST_LIMIT_MS = 5_000;

/** A reply that is not 2xx (`status`), or none at all (`status` 0). */
export class ToxiproxyReplyError extends ToxiproxyError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('ToxiproxyReplyError', message);
    this.status = status;
  }
}

export class ToxiproxyHttp extends HttpClient {
  override async get<T>(url: string): Promise<HttpResponse<T>> {
    return { data: parse<T>(await ask('GET', url), url) };
  }

  override async post<T>(url: string, body?: unknown): Promise<HttpResponse<T>> {
    return { data: parse<T>(await ask('POST', url, body), url) };
  }

  override async delete(url: string): Promise<void> {
    await ask('DELETE', url);
  }

  override getText(url: string): Promise<string> {
    return ask('GET', url);
  }
}

/** @returns the text of a 2xx reply @throws ToxiproxyReplyError */
async function ask(method: string, url: string, body?: unknown): Promise<string> {
  try {
    const reply = await fetch(url, {
      method,
      headers: { connection: 'close', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const text = await reply.text();
    if (!reply.ok) throw new ToxiproxyReplyError(reply.status, errorTextOf(text) ?? `HTTP status ${reply.status}`);
    return text;
  } catch (error) {
    if (error instanceof ToxiproxyReplyError) throw error;
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new ToxiproxyReplyError(0, messageOf(cause) || 'no connection');
  }
}

function parse<T>(text: string, url: string): T {
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new ToxiproxyReplyError(0, `${url} answered something that is not JSON`);
  }
}

/** Toxiproxy's errors are `{"error": "…", "status": …}`, whatever their content type says. */
function errorTextOf(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : null;
  } catch {
    return text.trim() === '' ? null : text.trim().slice(0, 200);
  }
}
