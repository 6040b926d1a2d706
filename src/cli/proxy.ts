/**
 * `kvbench proxy`: the embedded Toxiproxy-compatible server by itself, for anyone's tests, until Ctrl-C or SIGTERM. Called by main.ts.
 * What happens on it is its clients' doing alone: it is no part of a run, and a run that uses it treats it as a stranger's.
 */
import { readFile } from 'node:fs/promises';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { ToxiproxyServer } from '../chaos/toxiproxy/server.js';
import { ToxiproxyHttp, ToxiproxyReplyError } from '../chaos/toxiproxyHttp.js';
import { watchInterrupts } from './interrupt.js';
import type { ProxyArguments } from './main.js';
import type { Terminal } from './terminal.js';

/** A proxy as the server tells it. */
interface ProxyState {
  name: string;
  listen: string;
  upstream: string;
  enabled: boolean;
}

/** 0 once it was ended by a signal. Throws PROXY_FAILED when it cannot listen, INVALID_ARGUMENT for a port or file that is none. */
export async function proxy({ host, port, config, metrics, seed }: ProxyArguments, terminal: Terminal): Promise<ExitCode> {
  checkNumbers({ port, seed });
  const wanted = config === undefined ? null : await readConfig(config);
  const interrupt = watchInterrupts((name) => terminal.talk(`${name}: closing every proxy and connection`));
  const server = new ToxiproxyServer({ seed, metrics });
  try {
    const url = await listen(server, host, port);
    const proxies = wanted === null ? [] : await populate(url, wanted);
    terminal.data(`${url}\n`);
    for (const { name, listen, upstream, enabled } of proxies) terminal.talk(`  ${name}: ${listen} to ${upstream}${enabled ? '' : ' (disabled)'}`);
    terminal.talk('Toxiproxy’s API is answered at this address; Ctrl-C ends it, with every proxy.');
    await aborted(interrupt.signal);
    return ExitCode.passed;
  } finally {
    await server.close();
    interrupt.dispose();
  }
}

function checkNumbers({ port, seed }: { port: number; seed: number }): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new KvbenchError('INVALID_ARGUMENT', '--port is not a port number', 'Give a number from 1 to 65535, or 0 for a free one.');
  if (!Number.isInteger(seed) || seed < 0) throw new KvbenchError('INVALID_ARGUMENT', '--seed is not a whole number ≥ 0', 'For example: --seed 42');
}

interface Config {
  file: string;
  proxies: unknown;
}

/** Toxiproxy's own format: a JSON array of proxies. What stands in each is checked by the server, as a client's would be. */
async function readConfig(file: string): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new KvbenchError('FILE_NOT_READABLE', `--config ${file} can't be read: ${messageOf(error)}`, 'Name a JSON file.');
  });
  try {
    return { file, proxies: JSON.parse(text) };
  } catch (error) {
    const hint = 'It is a JSON array: [{"name": "redis", "listen": "127.0.0.1:26379", "upstream": "127.0.0.1:6379", "enabled": true}]';
    throw new KvbenchError('INVALID_ARGUMENT', `${file}${placeOf(error, text)}: is not JSON: ${messageOf(error)}`, hint);
  }
}

/** `:line:column`, where the parser says how far it came. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(messageOf(error))?.[1];
  if (position === undefined) return '';
  const lines = text.slice(0, Number(position)).split('\n');
  return `:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

async function listen(server: ToxiproxyServer, host: string, port: number): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new KvbenchError(
      'PROXY_FAILED',
      isTaken ? `port ${port} of ${host} is in use` : `can't listen on port ${port} of ${host}: ${messageOf(error)}`,
      isTaken
        ? `Perhaps by another Toxiproxy: curl http://${host}:${port}/version. Choose another port, or a free one: kvbench proxy --port 0`
        : 'Choose another with --host and --port.',
      error,
    );
  }
}

/** By the server's own API, so that its words are those every client gets. */
async function populate(url: string, { file, proxies }: Config): Promise<readonly ProxyState[]> {
  try {
    const { data } = await new ToxiproxyHttp().post<{ proxies: ProxyState[] | null }>(`${url}/populate`, proxies);
    return data.proxies ?? [];
  } catch (error) {
    const isMistake = error instanceof ToxiproxyReplyError && error.status === 400;
    throw new KvbenchError(isMistake ? 'INVALID_ARGUMENT' : 'PROXY_FAILED', `${file}: ${messageOf(error)}`, 'No proxy of it is running.', error);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
