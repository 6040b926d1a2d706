/**
 * Ctrl-C, SIGTERM, SIGHUP, and an exception that nobody caught: the first asks the run to heal, write and end; a second signal ends the process
 * at once, and the supervisor, which sees its pipe close, ends the servers. Used by the commands that break something.
 */
import { ExitCode, messageOf } from '../base/errors.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Which one it was. */
  readonly name: () => string | null;
  /** Gives the signals back to Node's defaults. @throws what nobody caught meanwhile: by now everything is healed */
  dispose(): void;
}

/** @param onFirst told once, to say what happens now */
export function watchInterrupts(onFirst: (name: string) => void): Interrupt {
  const controller = new AbortController();
  let first: string | null = null;
  let uncaught: { thrown: unknown } | null = null;
  const begin = (name: string): void => {
    first = name;
    onFirst(name);
    controller.abort();
  };
  const listener = (name: NodeJS.Signals): void => {
    if (first !== null) process.exit(ExitCode.interrupted);
    begin(name);
  };
  const onUncaught = (thrown: unknown): void => {
    uncaught ??= { thrown };
    if (first === null) begin(`internal error (${messageOf(thrown)})`);
  };
  process.on('uncaughtException', onUncaught);
  for (const name of signals) process.on(name, listener);
  return {
    signal: controller.signal,
    name: () => first,
    dispose: () => {
      for (const name of signals) process.off(name, listener);
      process.off('uncaughtException', onUncaught);
      if (uncaught !== null) throw uncaught.thrown;
    },
  };
}
