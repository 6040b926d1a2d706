/** Where the package lies, whether it runs from a checkout's `dist`, another output folder or an installed tarball. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of kvbench's own package.json: shipped profiles, workloads and toxics lie below it. */
export const packageRoot: string = findPackageRoot();

/** Version of the running kvbench, from its package.json. */
export const kvbenchVersion: string = (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'kvbench') return folder;
    const parent = dirname(folder);
    if (parent === folder) throw new Error('bug in kvbench: its package.json was not found');
    folder = parent;
  }
}
