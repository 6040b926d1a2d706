// `npm test [-- files]`: installs what is missing, lints, compiles and runs the tests with node's own runner.
// One file: `npm test -- src/stats/gaps.test.ts`.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { checkNode, compile, ensureChromium, ensureServer, installPackages, orExit, root, say } from './prepare.mjs';

const chromium = await orExit(() => {
  checkNode();
  installPackages();
  compile();
  ensureServer();
  return ensureChromium();
}, 1);

const dist = join(root, 'dist');
const named = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const flags = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
if (named.length === 0) {
  const lint = spawnSync(process.execPath, [join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (lint.status !== 0) {
    say('the linter found something: `npm run format` mends most of it');
    process.exit(1);
  }
}
const all = named.length > 0 ? named.map(outputOf) : testFiles(dist).sort();
// End-to-end tests mostly wait for servers: they come first, more files at a time than there are cores, and the others fill what they leave.
// Then, one for each of two cores, those whose verdict hangs on how fast the machine is.
const undisturbed = ['e2e/failover.test.js', 'e2e/capacity.test.js', 'bench/accuracy.test.js', 'bench/knownServer.test.js'];
const isUndisturbed = (file) => undisturbed.includes(relative(dist, file));
const isEndToEnd = (file) => relative(dist, file).startsWith('e2e');
const together = all.filter((file) => !isUndisturbed(file));
const stages = [
  { files: [...together.filter(isEndToEnd), ...together.filter((file) => !isEndToEnd(file))], concurrency: 4 },
  // The longest comes last in the alphabet and first here.
  { files: all.filter(isUndisturbed).reverse(), concurrency: 2 },
];
for (const { files, concurrency } of stages) {
  if (files.length === 0) continue;
  const status = await runTests(files, concurrency);
  if (status !== 0) process.exit(status);
}

function runTests(files, concurrency) {
  const env = { ...process.env, KVBENCH_CHROMIUM: chromium, NODE_OPTIONS: '--enable-source-maps' };
  const child = spawn(process.execPath, ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=180000', ...flags, ...files], {
    stdio: 'inherit',
    cwd: root,
    env,
  });
  return new Promise((done) => child.on('exit', (code, signal) => done(code ?? (signal ? 1 : 0))));
}

/** src/a/b.test.ts → dist/a/b.test.js */
function outputOf(file) {
  return join(dist, relative(join(root, 'src'), resolve(file))).replace(/\.ts$/, '.js');
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}
