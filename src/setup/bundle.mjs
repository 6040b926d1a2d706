// What tsc does not make: the scripts of the pages, the drawing library of the picture and the fonts. Called by build.mjs after tsc.
// chartjs-node-canvas is bundled because it wants the package `canvas` with its compiled Cairo; ours is an alias of @napi-rs/canvas, and an
// alias made by `overrides` holds in this checkout only, not where the packed tarball is installed (there `canvas` is our own dependency).
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const report = join(root, 'src', 'report');

/** Writes the bundles and fonts into `outDir`/report. Throws with a message of what failed; details have been shown. */
export async function bundle({ outDir }) {
  const out = join(outDir, 'report');
  await bundleDrawing(join(out, 'vendor', 'chartjs-node-canvas.js'));
  checkPageScripts();
  await bundlePageScript('main.ts', join(out, 'page', 'browser.js'));
  await bundlePageScript('comparison.ts', join(out, 'page', 'comparison.js'));
  copyFonts(join(out, 'fonts'));
}

/** chartjs-node-canvas, chart.js and the annotation plugin in one ES module; only `canvas` stays outside. */
async function bundleDrawing(outfile) {
  await build({
    stdin: {
      contents: `
        import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
        import annotation from 'chartjs-plugin-annotation';
        export { ChartJSNodeCanvas, annotation };`,
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['canvas'],
    plugins: [drawingParts],
    // Its CommonJS parts call require for Node's own modules.
    banner: { js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);" },
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

/**
 * One copy of chart.js for the renderer (which requires it) and the plugin (which imports it), and one of `canvas`: the renderer would load
 * a fresh one each time, whose images and fonts are strangers to ours.
 */
const drawingParts = {
  name: 'drawing-parts',
  setup({ onResolve, onLoad }) {
    const chartJs = join(dirname(createRequire(import.meta.url).resolve('chart.js')), '..');
    onResolve({ filter: /^chart\.js$/ }, () => ({ path: join(chartJs, 'dist', 'chart.js') }));
    onResolve({ filter: /^chart\.js\/helpers$/ }, () => ({ path: join(chartJs, 'helpers', 'helpers.js') }));
    onResolve({ filter: /^chart\.js\/auto$|\/freshRequire$/ }, ({ path }) => ({ path: path.split('/').at(-1), namespace: 'drawing-parts' }));
    onLoad({ filter: /^auto$/, namespace: 'drawing-parts' }, () => ({
      contents: "const { Chart, registerables } = require('chart.js'); Chart.register(...registerables); module.exports = Chart;",
      resolveDir: root,
    }));
    onLoad({ filter: /^freshRequire$/, namespace: 'drawing-parts' }, () => ({
      contents: "import * as canvas from 'canvas'; export const freshRequire = () => canvas;",
      resolveDir: root,
    }));
  },
};

/** The scripts of the pages have types of their own (the browser's), so tsc looks at them apart. */
function checkPageScripts() {
  const project = join(report, 'page', 'browser');
  if (!existsSync(join(project, 'main.ts'))) throw new Error("the page's script is missing: src/report/page/browser/main.ts");
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project, '--noEmit'], { stdio: 'inherit' });
  if (tsc.status !== 0) throw new Error('compiling the scripts of the pages failed: see the messages of tsc above');
}

/** One file without modules, to be set into the page. */
async function bundlePageScript(entry, outfile) {
  await build({
    entryPoints: [join(report, 'page', 'browser', entry)],
    outfile,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'inline',
    logLevel: 'warning',
  });
}

function copyFonts(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(report, 'fonts'))) copyFileSync(join(report, 'fonts', name), join(folder, name));
}
