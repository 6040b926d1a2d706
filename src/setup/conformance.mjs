// `npm run conformance -- http://host:8474`: holds a Toxiproxy server against what Toxiproxy does (dist/chaos/toxiproxy/conformanceMain.js).
// The server must have no proxies, and its proxies must be reachable from here and reach this machine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, compile, installPackages, orExit, root } from './prepare.mjs';

await orExit(() => {
  checkNode();
  installPackages();
  compile();
}, 100);
const main = join(root, 'dist', 'chaos', 'toxiproxy', 'conformanceMain.js');
const { status } = spawnSync(process.execPath, ['--test-reporter=spec', '--test-reporter-destination=stdout', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
