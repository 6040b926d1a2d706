/**
 * Everything that can go wrong in operation, in one table: the docs are generated from it. Bugs are `assert`s.
 * Only `cli/main.ts` turns one of these into an exit.
 */
export const ExitCode = {
  passed: 0,
  thresholdFailed: 99,
  targetUnavailable: 100,
  invalidInput: 104,
  interrupted: 105,
  internal: 107,
  stopCondition: 108,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** code → exit code and what it means, one line, for the generated error reference. */
export const errorTable = {
  INVALID_ARGUMENT: { exitCode: ExitCode.invalidInput, meaning: 'A flag or argument is unknown, missing or has a wrong value.' },
  INVALID_PROFILE: {
    exitCode: ExitCode.invalidInput,
    meaning: 'A profile, workload or toxic file does not follow the reference. All problems are listed with their positions.',
  },
  FILE_NOT_READABLE: { exitCode: ExitCode.invalidInput, meaning: 'A file that was named does not exist or cannot be read.' },
  RESULT_NOT_READABLE: {
    exitCode: ExitCode.invalidInput,
    meaning: 'A result folder is missing, truncated, corrupt or of an unknown format version.',
  },
  NOT_COMPARABLE: { exitCode: ExitCode.invalidInput, meaning: 'The two sides of a comparison differ in what must be the same.' },
  RESULT_NOT_WRITABLE: { exitCode: ExitCode.invalidInput, meaning: 'The result folder cannot be made or written.' },
  SERVER_NOT_FOUND: { exitCode: ExitCode.targetUnavailable, meaning: 'No redis-server or valkey-server was found.' },
  LAB_FAILED: {
    exitCode: ExitCode.targetUnavailable,
    meaning: 'A lab server did not start, the lab did not form in time, or no lab of this name runs.',
  },
  TARGET_UNREACHABLE: { exitCode: ExitCode.targetUnavailable, meaning: 'The external target could not be reached, or refused the login.' },
  TARGET_REFUSED: {
    exitCode: ExitCode.targetUnavailable,
    meaning: 'The external target is reachable, but a guest rule forbids the run (foreign keys, memory, replicas, eviction).',
  },
  PROXY_FAILED: { exitCode: ExitCode.targetUnavailable, meaning: 'The Toxiproxy server could not be started or reached, or refused a request.' },
  FAULT_FAILED: { exitCode: ExitCode.internal, meaning: 'A fault could not be injected or healed.' },
  WORKER_FAILED: { exitCode: ExitCode.internal, meaning: 'A load worker ended unexpectedly.' },
  INTERNAL: { exitCode: ExitCode.internal, meaning: 'A bug in kvbench. Please report it with the run folder.' },
} as const satisfies Record<string, { exitCode: ExitCode; meaning: string }>;
export type ErrorCode = keyof typeof errorTable;

/** An error of operation: `message` says what failed on what value, `hint` what to do next. Printed without a stack. */
export class KvbenchError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KvbenchError';
    this.code = code;
    this.exitCode = errorTable[code].exitCode;
    this.hint = hint;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
