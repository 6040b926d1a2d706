/** The generated pages in docs/ say what the code does; `UPDATE_GOLDEN=1 npm test` writes them again. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { faultRegistry } from '../chaos/registry.js';
import { profileJsonSchema, renderProfileReference } from '../profile/reference.js';

const pages: [file: string, text: string][] = [
  ['docs/profile-reference.md', renderProfileReference(faultRegistry)],
  ['docs/profile.schema.json', `${JSON.stringify(profileJsonSchema(faultRegistry), null, 2)}\n`],
];

for (const [file, text] of pages) {
  test(`${file} is fresh`, () => {
    const path = join(packageRoot, file);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
    assert.equal(readFileSync(path, 'utf8'), text, `${file} is stale: run UPDATE_GOLDEN=1 npm test and commit it`);
  });
}
