/**
 * `npm run conformance -- URL`: the conformance suite against any server that speaks Toxiproxy's API. Started by src/setup/conformance.mjs.
 * The suite deletes every proxy it finds, so a server that has some is refused before anything is done to it.
 */
import { KvbenchError, messageOf } from '../../base/errors.js';
import { ToxiproxyHttp } from '../toxiproxyHttp.js';
import { conformanceSuite } from './conformance.js';

try {
  const url = urlOf(process.argv.slice(2));
  await refuseUnlessEmpty(url);
  conformanceSuite(() => url);
} catch (thrown) {
  if (!(thrown instanceof KvbenchError)) throw thrown;
  console.error(`conformance: ${thrown.message}\n  ${thrown.hint}`);
  process.exitCode = thrown.exitCode;
}

function urlOf(args: readonly string[]): string {
  const [given] = args;
  if (args.length === 1 && given !== undefined && /^https?:\/\/[^/]+\/?$/.test(given)) return given.replace(/\/$/, '');
  const hint = 'npm run conformance -- http://127.0.0.1:8474';
  throw new KvbenchError('INVALID_ARGUMENT', given === undefined ? 'no server was named' : `${args.join(' ')} is not the URL of one server`, hint);
}

async function refuseUnlessEmpty(url: string): Promise<void> {
  let names: string[];
  try {
    names = Object.keys((await new ToxiproxyHttp().get<object>(`${url}/proxies`)).data);
  } catch (error) {
    throw new KvbenchError('PROXY_FAILED', `no Toxiproxy answers at ${url}: ${messageOf(error)}`, `Is it running? Try: curl ${url}/version`, error);
  }
  if (names.length === 0) return;
  const hint = 'The suite removes all proxies there are; give it a server that nobody else uses.';
  throw new KvbenchError('INVALID_ARGUMENT', `the server at ${url} has proxies: ${names.join(', ')}`, hint);
}
