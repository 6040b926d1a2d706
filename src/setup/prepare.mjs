// What `npm start` and `npm test` need before anything of ours can run: packages, compiled output, a server, a browser.
// Plain JavaScript without dependencies: on a fresh clone nothing is installed yet. Says what it does, on stderr, and does nothing twice.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A failure a person can act on: printed without a stack. */
export class SetupError extends Error {}

/** On stderr, so that data on stdout stays clean. */
export function say(text) {
  process.stderr.write(`kvbench: ${text}\n`);
}

/** Ends with a clear message on a Node that is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(
    `Node.js ${process.versions.node} is too old: kvbench needs 20.19 or newer. Install it from your system's packages or nodejs.org, then try again.`,
  );
}

/** Installs the packages of the lock file when they are missing or other than the lock file says. `npm ci` builds too (`prepare`). */
export function installPackages() {
  // npm ci would empty the folder that a link leads to, which others use.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const stamp = join(root, 'node_modules', '.kvbench-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing the npm packages (npm ci) …');
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'],
    'npm ci failed: check the network and the messages above, then try again',
  );
  writeFileSync(stamp, wanted);
}

/** Compiles when an output is missing or older than a source. */
export function compile() {
  const stamp = join(root, 'dist', '.built');
  if (existsSync(stamp)) {
    const builtMs = statSync(stamp).mtimeMs;
    if (
      newestMs(join(root, 'src')) <= builtMs &&
      statSync(join(root, 'package-lock.json')).mtimeMs <= builtMs &&
      statSync(join(root, 'tsconfig.json')).mtimeMs <= builtMs
    )
      return;
  }
  say('compiling …');
  run(process.execPath, [join(root, 'src', 'setup', 'build.mjs')], 'compiling failed');
}

/** Makes sure that there is a redis-server or valkey-server; installs one where that needs no question. */
export function ensureServer() {
  const named = process.env.KVBENCH_SERVER;
  if (named) {
    if (findProgram([named])) return;
    throw new SetupError(
      `KVBENCH_SERVER names ${JSON.stringify(named)}, which is not a program. Set it to the path of redis-server or valkey-server, or unset it.`,
    );
  }
  if (findProgram(['redis-server', 'valkey-server'])) return;
  installSystemPackage('a Redis server', { apt: 'redis-server', dnf: 'valkey', apk: 'redis', brew: 'redis' });
  if (!findProgram(['redis-server', 'valkey-server'])) {
    throw new SetupError('the package was installed, but redis-server is still not on PATH. Name it with KVBENCH_SERVER=/path/to/redis-server.');
  }
}

/** redis-benchmark, which the benchmark of kvbench is measured against. */
export function ensureBenchmarkTools() {
  if (findProgram(['redis-benchmark'])) return;
  installSystemPackage('redis-benchmark', { apt: 'redis-tools', dnf: 'redis', apk: 'redis', brew: 'redis' });
}

/** The tests open the report in a real browser. Returns its path. */
export function ensureChromium() {
  const names = [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const named = process.env.KVBENCH_CHROMIUM;
  const found = findProgram(named ? [named] : names);
  if (found) return found;
  if (named) throw new SetupError(`KVBENCH_CHROMIUM names ${JSON.stringify(named)}, which is not a program.`);
  installSystemPackage('Chromium (the tests look at the report in it)', {
    apt: 'chromium',
    dnf: 'chromium',
    apk: 'chromium',
    brew: '--cask chromium',
  });
  const installed = findProgram(names);
  if (!installed) throw new SetupError('Chromium was installed, but is not on PATH. Name it with KVBENCH_CHROMIUM=/path/to/chromium.');
  return installed;
}

/** First of `names` (program names or paths) that can be executed; null when none can. */
export function findProgram(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const name of names) {
    const candidates = name.includes('/') ? [name] : folders.map((folder) => join(folder, name));
    for (const candidate of candidates) {
      try {
        accessSync(candidate, constants.X_OK);
        if (statSync(candidate).isFile()) return candidate;
      } catch {
        // Not here: the next folder.
      }
    }
  }
  return null;
}

/** Installs with the system's package manager if that needs no question, else ends with the command to type. No service is started. */
function installSystemPackage(what, packageNames) {
  const isRoot = process.getuid?.() === 0;
  const hasSudo = !isRoot && findProgram(['sudo']) !== null && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  const manager = ['apt-get', 'dnf', 'apk', 'brew'].find((name) => findProgram([name]));
  const commands = {
    'apt-get': [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', packageNames.apt],
    ],
    dnf: [['dnf', 'install', '-y', '-q', packageNames.dnf]],
    apk: [['apk', 'add', '--quiet', packageNames.apk]],
    brew: [['brew', 'install', ...packageNames.brew.split(' ')]],
  };
  if (!manager)
    throw new SetupError(
      `${what} is missing, and no package manager that kvbench knows (apt, dnf, apk, Homebrew) is here. Install it by hand, then try again.`,
    );
  const needsRoot = manager !== 'brew';
  const shown = commands[manager].map((command) => (needsRoot ? `sudo ${command.join(' ')}` : command.join(' '))).join(' && ');
  if (needsRoot && !isRoot && !hasSudo)
    throw new SetupError(`${what} is missing, and installing it needs your password. Type:\n\n    ${shown}\n\nthen try again.`);
  say(`${what} is missing: installing it with ${manager} (no service is started) …`);
  for (const command of commands[manager]) {
    // RUNLEVEL=1 keeps Debian's maintainer scripts from starting a service.
    const environment = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
    const argv = needsRoot && !isRoot ? ['sudo', '-n', 'env', 'RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive', ...command] : command;
    const result = spawnSync(argv[0], argv.slice(1), {
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    // An update that fails for one foreign source must not stop the install; the install itself decides.
    if (result.status !== 0 && !command.includes('update')) {
      throw new SetupError(
        `${what} could not be installed: ${command.join(' ')} ended with ${result.status ?? result.signal}:\n${lastLines(result.stderr)}\nInstall it by hand (${shown}), then try again.`,
      );
    }
  }
}

function lastLines(text) {
  return (text ?? '')
    .trim()
    .split('\n')
    .slice(-5)
    .map((line) => `    ${line}`)
    .join('\n');
}

function run(program, argv, message) {
  const result = spawnSync(program, argv, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (result.status !== 0) throw new SetupError(message);
}

function newestMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : statSync(path).mtimeMs);
  }
  return newest;
}

/** Runs a set-up; a SetupError ends the process with its message and `exitCode`. */
export async function orExit(steps, exitCode) {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(exitCode);
  }
}
