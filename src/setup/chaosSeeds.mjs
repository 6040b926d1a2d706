// `npm run chaos:seeds [-- COUNT [FIRST]]`: random chaos with many seeds in a row, each of which must end healed (dist/e2e/chaosSeedsMain.js).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, compile, ensureServer, installPackages, orExit, root } from './prepare.mjs';

await orExit(() => {
  checkNode();
  installPackages();
  compile();
  ensureServer();
}, 100);
const { status } = spawnSync(process.execPath, [join(root, 'dist', 'e2e', 'chaosSeedsMain.js'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
