/** What the keeper of a background lab and those who come to it say to each other: one JSON object per line. */
import type { LabPlan, Plan } from '../plan/plan.js';
import type { LabSignal } from './supervisorProtocol.js';
import type { ProcessChange } from './target.js';

/** The first line on the keeper's standard input; after `ready` the line `keep` lets it go on alone. */
export interface KeeperStart {
  name: string;
  runtime: string;
  plan: LabPlan;
  /** Absent: nothing stands in the lab's links. */
  network?: KeptNetworkPlan;
}

/** What is to stand between the nodes, and before them, of a lab in the background. */
export interface KeptNetworkPlan {
  toxiproxy: Plan['toxiproxy'];
  /** At least one. */
  clientGroups: string[];
}

export const KEEP = 'keep';

/** On its standard output, until it is kept. */
export type KeeperNews = { type: 'progress'; text: string } | { type: 'ready' } | { type: 'failed'; code: string; message: string; hint?: string };

/** On its socket. */
export type KeeperRequest =
  | { id: number; op: 'signal'; node: string; signal: LabSignal }
  | { id: number; op: 'start'; node: string }
  | { id: number; op: 'removeData'; node: string }
  | { id: number; op: 'replaceProgram'; node: string; program: string }
  /** Ends the lab; answered when all is gone. */
  | { id: number; op: 'down' };

export type KeeperMessage =
  /** Sent first: pids of the nodes that run. */
  | { type: 'hello'; pids: Record<string, number> }
  | { type: 'done'; id: number; atUs: number }
  | { type: 'failed'; id: number; code: string; message: string; hint?: string }
  | { type: 'change'; change: ProcessChange };
