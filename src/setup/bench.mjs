// `npm run bench [-- parts and options]`: what the benchmark needs (packages, compiled output, a server, redis-benchmark where it can be had
// without a question), then dist/bench/main.js. Its exit code is that of the benchmark.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, compile, ensureBenchmarkTools, ensureServer, installPackages, orExit, root, SetupError, say } from './prepare.mjs';

await orExit(() => {
  checkNode();
  installPackages();
  compile();
  ensureServer();
}, 100);
try {
  ensureBenchmarkTools();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(`${error.message}\nGoing on without redis-benchmark.`);
}

const child = spawn(process.execPath, [join(root, 'dist', 'bench', 'main.js'), ...process.argv.slice(2)], { stdio: 'inherit', cwd: root });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A Ctrl-C reaches the child from the terminal already; the others only us.
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
