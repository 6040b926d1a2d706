/** Paths that match a pattern, for patterns that a shell did not expand. Used by loadSide.ts. Knows `*` and `?` within a name, nothing more. */
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';

export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** Existing paths in alphabetical order; names that begin with a dot only where the pattern says so. */
export function globPaths(pattern: string): string[] {
  const parts = pattern.split(/[\\/]/).filter((part, i) => part !== '' || i === 0);
  let found: string[] = isAbsolute(pattern) ? [sep] : [''];
  for (const part of parts.filter((name) => name !== '')) {
    found = found.flatMap((parent) => {
      if (!isGlob(part)) return existsSync(join(parent, part)) ? [join(parent, part)] : [];
      const matcher = matcherOf(part);
      return namesIn(parent === '' ? '.' : parent)
        .filter((name) => matcher.test(name) && (part.startsWith('.') || !name.startsWith('.')))
        .map((name) => join(parent, name));
    });
  }
  return found;
}

function matcherOf(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'u');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
