/**
 * What is wrong with a file, collected until all of it is known and then thrown as one error. Used by everything in `profile/`;
 * never prints, never stops at the first problem.
 */
import { KvbenchError } from '../base/errors.js';

/** Where something was written. `text` is what a person reads: `file:line:column`, or the flag that set the value. */
export interface Place {
  text: string;
  /** Null when it was not written in a file. */
  file: string | null;
  /** 1-based; 0 when unknown. */
  line: number;
  column: number;
}

export interface Problem {
  place: Place;
  /** What is wrong, on what value, what would be right. One line. */
  message: string;
}

/** INVALID_PROFILE with every problem found; `message` has one line per problem, each with its place. */
export class ProfileError extends KvbenchError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('INVALID_PROFILE', problems.map((problem) => `${problem.place.text}: ${problem.message}`).join('\n'), hintFor(problems.length));
    this.name = 'ProfileError';
    this.problems = problems;
  }
}

function hintFor(count: number): string {
  const what = count === 1 ? 'Correct it' : `Correct these ${count} problems`;
  return `${what} and check with \`kvbench validate\`; every key is explained in docs/profile-reference.md.`;
}

/** Collects problems; the same one is kept once. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  readonly #mainFile: string | null;

  /** @param mainFile its problems come before those of files it refers to */
  constructor(mainFile: string | null = null) {
    this.#mainFile = mainFile;
  }

  add(place: Place, message: string): void {
    if (this.#problems.some((known) => known.place.text === place.text && known.message === message)) return;
    this.#problems.push({ place, message });
  }

  get count(): number {
    return this.#problems.length;
  }

  /** Throws a ProfileError when there is any, sorted by file (flags, the main file, then the others in order of appearance), line and column. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    const files = [...new Set([null, this.#mainFile, ...this.#problems.map((problem) => problem.place.file)])];
    const rank = (problem: Problem): number => files.indexOf(problem.place.file);
    const sorted = [...this.#problems].sort((a, b) => rank(a) - rank(b) || a.place.line - b.place.line || a.place.column - b.place.column);
    throw new ProfileError(sorted);
  }
}
