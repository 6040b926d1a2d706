/**
 * Ctrl-C, SIGTERM and SIGHUP: the first asks the run to heal, write and end (exit 105); a second one ends the process at once, and
 * the supervisor, which sees its pipe close, ends the servers. Used by `run` only.
 */
import { ExitCode } from '../base/errors.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Which one it was. */
  readonly name: () => string | null;
  /** Gives the signals back to Node's defaults. */
  dispose(): void;
}

/** @param onFirst told once, to say what happens now */
export function watchInterrupts(onFirst: (name: string) => void): Interrupt {
  const controller = new AbortController();
  let first: string | null = null;
  const listener = (name: NodeJS.Signals): void => {
    if (first !== null) process.exit(ExitCode.interrupted);
    first = name;
    onFirst(name);
    controller.abort();
  };
  for (const name of signals) process.on(name, listener);
  return {
    signal: controller.signal,
    name: () => first,
    dispose: () => {
      for (const name of signals) process.off(name, listener);
    },
  };
}
