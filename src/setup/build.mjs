// Compiles src/ into dist/: tsc, then the two bundles (page script, chartjs-node-canvas), then the execute bit of the program.
// Called by `npm run build`, by `prepare` after an install, and by start.mjs/test.mjs when the output is older than the sources.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Builds into `outDir` (default dist). Throws when a step fails; its output has been shown. */
export async function build(outDir = join(root, 'dist')) {
  rmSync(outDir, { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root, '--outDir', outDir], {
    stdio: 'inherit',
  });
  if (tsc.status !== 0) throw new Error('compiling failed: see the messages of tsc above');
  const { bundle } = await import('./bundle.mjs');
  await bundle({ outDir });
  chmodSync(join(outDir, 'cli', 'main.js'), 0o755);
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, '.built'), '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build();
  } catch (error) {
    console.error(`kvbench: ${error.message}`);
    process.exitCode = 1;
  }
}
