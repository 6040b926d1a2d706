/** "Did you mean": the known word nearest to a mistyped one. Used by every check that refuses a word. */
import { distance } from 'fastest-levenshtein';

/** The candidate within a third of the word's length in edits (at least 2), ignoring case; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(lower, candidate.toLowerCase());
    if (edits < bestDistance && edits < candidate.length) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

/** `; did you mean "x"? ` or, when nothing is near, `; known: a, b, c`. */
export function didYouMean(word: string, candidates: readonly string[], whatTheyAre = 'known'): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return candidates.length > 0 ? `; ${whatTheyAre}: ${candidates.join(', ')}` : '';
}
