/** The two sides that the arguments of `diff` and `gate` name. Reads folders only. */
import { KvbenchError } from '../base/errors.js';
import { type LoadedSide, loadSide, variantsOf } from '../compare/loadSide.js';
import { isGroupFolder } from '../result/group.js';
import type { DiffArguments } from './compareOptions.js';

/** The two sides. Throws INVALID_ARGUMENT, RESULT_NOT_READABLE. */
export function sidesOf(args: Pick<DiffArguments, 'sides' | 'base' | 'candidate' | 'dir'>): { base: LoadedSide; candidate: LoadedSide } {
  const { base, candidate } = specsOf(args);
  return { base: loadSide(base, args.dir), candidate: loadSide(candidate, args.dir) };
}

function specsOf({ sides = [], base, candidate }: Pick<DiffArguments, 'sides' | 'base' | 'candidate'>): { base: string[]; candidate: string[] } {
  const [first, second, ...more] = sides;
  if (more.length > 0) {
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      `${sides.length} folders were given, but there are two sides`,
      'Put patterns in quotes, or name each run with --base and --candidate.',
    );
  }
  if (base !== undefined || candidate !== undefined) {
    const named = { base: base ?? (first === undefined ? [] : [first]), candidate: candidate ?? (first === undefined ? [] : [first]) };
    const isClear = second === undefined && (first === undefined || base === undefined || candidate === undefined);
    if (isClear && named.base.length > 0 && named.candidate.length > 0) return named;
  } else if (first !== undefined && second !== undefined) return { base: [first], candidate: [second] };
  else if (first !== undefined && isGroupFolder(first)) {
    const [one, two, three] = [...variantsOf(first).keys()];
    if (one !== undefined && two !== undefined && three === undefined) return { base: [`${first}#${one}`], candidate: [`${first}#${two}`] };
    throw new KvbenchError('INVALID_ARGUMENT', `the group ${first} has not just two variants`, `Name both: ${first}#A ${first}#B.`);
  }
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    'a comparison has two sides: BASE and CANDIDATE',
    'For example: kvbench diff reports/before reports/after',
  );
}
