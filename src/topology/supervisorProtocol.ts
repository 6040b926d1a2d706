/** What kvbench and the supervisor say to each other: one JSON object per line, requests on its stdin, messages on its stdout. */

export type LabSignal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

export type SupervisorRequest =
  /** Starts `program` in `<folder>/<node>`, its output appended to `output.txt` there. */
  | { id: number; op: 'start'; node: string; program: string; args: string[] }
  | { id: number; op: 'signal'; node: string; signal: LabSignal }
  /** Kills all servers, removes the folder, answers and ends. */
  | { id: number; op: 'stop' };

export type SupervisorMessage =
  /** Sent once; `folder` is new, of mode 700, and everything in it is the supervisor's to remove. */
  | { type: 'ready'; folder: string }
  /** `atUs`: machine monotonic µs at which the thing was done. `started`: what a start request started. */
  | { type: 'done'; id: number; atUs: number; started: { node: string; pid: number } | null }
  | { type: 'failed'; id: number; message: string }
  /** A server has gone, asked for or not. */
  | { type: 'exited'; node: string; pid: number; exitCode: number | null; signal: string | null; atUs: number };

/** Name of the file in a node's folder that takes what the server prints itself (errors of its configuration). */
export const OUTPUT_FILE = 'output.txt';
