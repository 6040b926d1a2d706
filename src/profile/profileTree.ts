/**
 * The raw values of a profile and where each came from: the file itself, a workload or toxic file mounted into it, a `--set` or the
 * environment. Made by loadProfile, read by all checks; it holds what was written and never a default or a parsed value.
 */
import type { Place } from './problems.js';

export type Path = readonly (string | number)[];

/** Says where the value at a path was written. `at: 'key'` points at the key itself. */
export interface Origin {
  place(path: Path, at: 'key' | 'value'): Place;
}

/** For values that came as an object: places are `label: path`, or a name of the caller's (e.g. a flag) for the path. */
export class ObjectOrigin implements Origin {
  readonly #label: string;
  readonly #names: Readonly<Record<string, string>>;

  /** @param names dotted path (`load.phases.0.rate`) → what to call it (`--rate`) */
  constructor(label: string, names: Readonly<Record<string, string>> = {}) {
    this.#label = label;
    this.#names = names;
  }

  place(path: Path): Place {
    const name = this.#names[path.join('.')];
    const text = name ?? (path.length > 0 ? `${this.#label}: ${showPath(path)}` : this.#label);
    return { text, file: null, line: 0, column: 0 };
  }
}

/** For a value set from outside: every place below it is the flag or variable. */
class FixedOrigin implements Origin {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  place(): Place {
    return { text: this.#text, file: null, line: 0, column: 0 };
  }
}

export class ProfileTree {
  #root: unknown;
  /** Later ones win over earlier ones of the same depth, deeper ones over shallower. */
  #origins: { at: Path; origin: Origin }[];

  /** Works on a copy: what was given stays as it is, and maps that a YAML alias shares become separate. */
  constructor(root: unknown, origin: Origin) {
    this.#root = copyOf(root);
    this.#origins = [{ at: [], origin }];
  }

  get root(): unknown {
    return this.#root;
  }

  /** The value at a path; undefined when there is none. */
  get(path: Path): unknown {
    let value = this.#root;
    for (const segment of path) {
      if (value === null || typeof value !== 'object' || !Object.hasOwn(value, segment)) return undefined;
      value = (value as Record<string | number, unknown>)[segment];
    }
    return value;
  }

  /** Puts a value that came from elsewhere (a referenced file) at a path that exists. */
  mount(path: Path, value: unknown, origin: Origin): void {
    this.#put(path, copyOf(value));
    this.#origins.push({ at: path, origin });
  }

  /** Takes a key away. */
  remove(path: Path): void {
    const parent = this.get(path.slice(0, -1));
    if (isMap(parent)) delete parent[String(path.at(-1))];
  }

  /** Sets a value from outside; missing maps on the way are made. `label` is what problems below it are reported at. */
  override(path: Path, value: unknown, label: string): void {
    let madeFrom: Path = path;
    for (let depth = 0; depth < path.length; depth++) {
      const parent = path.slice(0, depth);
      if (isContainer(this.get(parent))) continue;
      this.#put(parent, {});
      if (madeFrom === path) madeFrom = parent;
    }
    this.#put(path, value);
    this.#origins = this.#origins.filter(({ at }) => at.length === 0 || !startsWith(at, madeFrom));
    this.#origins.push({ at: madeFrom, origin: new FixedOrigin(label) });
  }

  place(path: Path, at: 'key' | 'value' = 'value'): Place {
    let best = this.#origins[0];
    for (const candidate of this.#origins) {
      if (startsWith(path, candidate.at) && candidate.at.length >= (best?.at.length ?? 0)) best = candidate;
    }
    return best?.origin.place(path.slice(best.at.length), at) ?? { text: showPath(path), file: null, line: 0, column: 0 };
  }

  #put(path: Path, value: unknown): void {
    const last = path.at(-1);
    if (last === undefined) {
      this.#root = value;
      return;
    }
    define(this.get(path.slice(0, -1)) as object, last, value);
  }
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((segment, index) => String(segment) === String(path[index]));
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isMap(value) || value instanceof Uint8Array || value instanceof Date) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) define(copy, key, copyOf(child));
  return copy;
}

/** Like an assignment, but `__proto__` is a key like any other. */
function define(target: object, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function isContainer(value: unknown): boolean {
  return value !== null && typeof value === 'object';
}

/** `['load', 'phases', 0, 'rate']` → `load.phases[0].rate`. */
export function showPath(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    return text === '' ? segment : `${text}.${segment}`;
  }, '');
}
