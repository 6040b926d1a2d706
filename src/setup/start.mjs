// `npm start [-- args]`: installs what is missing, then runs kvbench; without arguments the failover profile.
// Signals reach kvbench itself (same process group), so this waits for it and passes its exit code on.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, compile, ensureServer, installPackages, orExit, root } from './prepare.mjs';

const argv = process.argv.slice(2);
const args = argv.length > 0 ? argv : ['run', 'profiles/failover.yaml'];

await orExit(() => {
  checkNode();
  installPackages();
  compile();
  ensureServer();
}, 100);

const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], { stdio: 'inherit', cwd: process.env.INIT_CWD ?? root });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A Ctrl-C reaches the child from the terminal already; the others only us.
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
