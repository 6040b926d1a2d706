/** What every part of the bench is given: how long, where, with which children, and the signal that ends it all. Made by main.ts. */
import type { Children } from './children.js';

export interface BenchRun {
  rounds: number;
  /** Of one window. */
  seconds: number;
  children: Children;
  /** Temporary; removed at the end. */
  folder: string;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** Progress, a line, on stdout. */
  say(text: string): void;
}
