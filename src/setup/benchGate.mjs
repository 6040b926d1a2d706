// `npm run bench:gate [-- options]`: packages and compiled output, then dist/bench/gateMain.js, whose exit code is this one's.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, compile, installPackages, orExit, root } from './prepare.mjs';

await orExit(() => {
  checkNode();
  installPackages();
  compile();
}, 100);

const child = spawn(process.execPath, [join(root, 'dist', 'bench', 'gateMain.js'), ...process.argv.slice(2)], { stdio: 'inherit', cwd: root });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A Ctrl-C reaches the child from the terminal already; the others only us.
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
