/**
 * What a command may say and where: data on stdout, talk on stderr, with `NO_COLOR`, `CI` and a missing terminal respected.
 * Made once in main.ts; commands get it as an argument and never touch `process.stdout` themselves.
 */

export interface Terminal {
  /** Data: what the command was asked for. */
  data(text: string): void;
  /** Talk: progress, events, hints. Silent with --quiet. */
  talk(text: string): void;
  /** Errors and what must be said even with --quiet. */
  alert(text: string): void;
  /** Replaces the last line of the screen; `null` clears it. Does nothing where stderr is no terminal. */
  status(text: string | null): void;
  /** Whether `status` shows anything. */
  readonly live: boolean;
  readonly color: boolean;
  /** Columns of the terminal; 100 where there is none. */
  readonly width: number;
}

/** @param options `quiet` silences talk and status, `color` false strips colour whatever the terminal can do. */
export function makeTerminal(options: { quiet: boolean; color: boolean }, env: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = process;
  // A reader that goes away (`| head`, a closed terminal) must not end a run before it has healed.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const live = Boolean(stderr.isTTY) && !options.quiet && !env.CI && env.TERM !== 'dumb';
  let statusShown = false;
  const clear = (): void => {
    if (statusShown) stderr.write('\r\x1b[2K');
    statusShown = false;
  };
  const line = (stream: NodeJS.WriteStream, text: string): void => {
    clear();
    stream.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  return {
    live,
    color: options.color && !env.NO_COLOR && env.TERM !== 'dumb' && (Boolean(stdout.isTTY) || Boolean(env.FORCE_COLOR)),
    get width() {
      return stdout.columns ?? stderr.columns ?? 100;
    },
    data: (text) => line(stdout, text),
    talk: (text) => {
      if (!options.quiet) line(stderr, text);
    },
    alert: (text) => line(stderr, text),
    status: (text) => {
      if (!live) return;
      clear();
      if (text === null) return;
      // One line only: a wrapped line could not be replaced.
      stderr.write([...text].slice(0, (stderr.columns ?? 80) - 1).join(''));
      statusShown = true;
    },
  };
}
