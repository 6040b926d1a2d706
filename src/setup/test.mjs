// `npm test [-- files]`: installs what is missing, compiles, and runs the tests with node's own runner, the linter beside them.
// One file: `npm test -- src/stats/gaps.test.ts`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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
const all = named.length > 0 ? named.map(outputOf) : testFiles(dist).sort();
// End-to-end tests mostly wait for servers: they come first, more files at a time than there are cores, and the others fill what they leave.
// Then, one for each of two cores, those whose verdict hangs on how fast the machine is.
const undisturbed = ['e2e/failover.test.js', 'e2e/capacity.test.js', 'bench/accuracy.test.js', 'bench/knownServer.test.js'];
const isUndisturbed = (file) => undisturbed.includes(relative(dist, file));
const isEndToEnd = (file) => relative(dist, file).startsWith('e2e');
const together = all.filter((file) => !isUndisturbed(file));
const units = together.filter((file) => !isEndToEnd(file));
const grouped = mkdtempSync(join(tmpdir(), 'kvbench-tests-'));
process.on('exit', () => rmSync(grouped, { recursive: true, force: true }));
// An interrupt ends the tests that run, which end what they started; then this process goes the usual way.
let running = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => running?.kill('SIGTERM'));
// Its talk is shown in one piece at the end: the tests' would hide it.
const linted = named.length === 0 ? lint() : null;
const stages = [
  { files: [...together.filter(isEndToEnd), ...(named.length === 0 ? groupedByFolder(units) : units)], concurrency: 4 },
  // The longest comes last in the alphabet and first here.
  { files: all.filter(isUndisturbed).reverse(), concurrency: 2 },
];
let status = 0;
for (const { files, concurrency } of stages) {
  if (files.length > 0 && status === 0) status = await runTests(files, concurrency);
}
const complaints = await linted;
if (complaints) {
  say(`${complaints}\nthe linter found something: \`npm run format\` mends most of it`);
  status ||= 1;
}
process.exit(status);

/** @returns what it complains of, or null */
function lint() {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const child = spawn(process.execPath, [biome, 'check', '--error-on-warnings', '.'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more));
  return new Promise((done) => child.on('close', (code) => done(code === 0 ? null : text)));
}

/**
 * The start of a process is much of what a small test file costs: those of the folders that only compute share one for each folder. A file
 * with hooks, a browser, a server or a process of its own keeps its own: hooks of one file would run for the tests of all.
 */
function groupedByFolder(files) {
  const computing = ['compare', 'plan', 'profile', 'report', 'result', 'stats', 'workload'];
  const needsOwn = /\b(?:before|after)(?:Each)?\(|process\.(?!env\.UPDATE_GOLDEN)|node:(?:child_process|http|net|tls|worker_threads)|playwright/;
  const groups = new Map();
  const alone = [];
  for (const file of files) {
    if (!computing.includes(relative(dist, dirname(file))) || needsOwn.test(readFileSync(file, 'utf8'))) alone.push(file);
    else groups.set(dirname(file), [...(groups.get(dirname(file)) ?? []), file]);
  }
  const made = [...groups].map(([folder, members]) => {
    const name = join(grouped, `${relative(dist, folder)}.test.mjs`);
    writeFileSync(name, members.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join(''));
    return name;
  });
  return [...made, ...alone];
}

function runTests(files, concurrency) {
  const env = { ...process.env, KVBENCH_CHROMIUM: chromium, NODE_OPTIONS: '--enable-source-maps' };
  const child = spawn(process.execPath, ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=180000', ...flags, ...files], {
    stdio: 'inherit',
    cwd: root,
    env,
  });
  running = child;
  return new Promise((done) => child.on('exit', (code) => done(code ?? 1)));
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
