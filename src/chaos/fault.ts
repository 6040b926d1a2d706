/**
 * A fault is one file that exports one `FaultKind`: its schema and words, how it is injected and healed, how one can tell that
 * it is healed, and how a chart shades it. Registering it in `chaos/registry.ts` makes it valid in profiles, documented and listed.
 */
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { Shading } from '../plan/plan.js';
import type { Growth, NodeView, ProcessControl, TopologyView } from '../topology/target.js';
import type { Claims } from './claims.js';
import type { NodeHolds } from './nodeHolds.js';
import type { ProxyControl } from './proxyControl.js';
import type { Aim, AimScope } from './sides.js';
import type { UndoLog } from './undoJournal.js';

/** The part of a fault that profiles and documents need. */
export interface FaultSchema {
  /** As written in a profile: `fault: kill`. */
  readonly kind: string;
  /** One sentence: what it does to whom. */
  readonly summary: string;
  /** What undoes it, one sentence. */
  readonly healSummary: string;
  /** Keys beside at/after/for/fault/node. A strict object with defaults; each key described. */
  readonly params: z.ZodType;
  /** `mesh`: proxies on the links between nodes too, so that a plan with it runs its lab on a link mesh. */
  readonly needs: 'process' | 'proxy' | 'mesh' | 'none';
  /** Values of `target.topology` on which it can do something; absent: all. */
  readonly topologies?: readonly string[];
  /** Its nodes cannot serve while it is in force, and limits on what may be down at once count them. Absent: no. */
  readonly takesDown?: boolean;
  /** It can cost data that was acknowledged before it: `fault: random` draws it only where it is named. Absent: no. */
  readonly costsData?: boolean;
  /** What it does stays (a node that is gone): `fault: random` draws it only where it is named. Absent: no. */
  readonly lasts?: boolean;
  /** Whether `node` is given; `none`: it never is, the parameters say who is hit. */
  readonly selector: 'required' | 'optional' | 'none';
  readonly shading: Shading;
  /** Whether it needs the mesh with these parameters, where `needs` does not say so already. */
  needsMesh?(params: never): boolean;
  /** Node selectors and names of clients in the parameters: checked with the profile, and known to the plan. */
  selectorsOf?(params: never): NamedSelector[];
  /** A line of YAML for the reference page. */
  readonly example: string;
}

/** A selector in the parameters of a fault: where it stands there, and what it says. */
export interface NamedSelector {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

export interface FaultKind<P = unknown> extends FaultSchema {
  readonly params: z.ZodType<P>;
  needsMesh?(params: P): boolean;
  selectorsOf?(params: P): NamedSelector[];
  /**
   * Whom it hits, where `node` alone does not say it. Throws FAULT_FAILED when that makes no sense at this moment.
   * @param selected the nodes of `node`; empty without one
   */
  aim?(scope: AimScope, selected: readonly NodeView[], params: P): Aim;
  /** Resolves when the fault is confirmed in force. Must leave nothing behind if it throws. */
  inject(context: FaultContext, targets: readonly NodeView[], params: P): Promise<ActiveFault>;
}

export interface ActiveFault {
  /**
   * Machine monotonic µs: when the (confirmed) signal was delivered, or when the first request that changed a link was sent. No effect
   * of the fault can be older.
   */
  readonly injectedAtUs: number;
  /** Of a fault that ends by itself (a restart): settles when it has; the controller then heals it at once. */
  readonly done?: Promise<void>;
  /** Brings everything this fault did back to the known good state; safe to call twice, and when others healed it already. */
  heal(): Promise<void>;
  /** Looks, does not remember. */
  isHealed(): Promise<boolean>;
  /**
   * Asked once it is healed: what it was to do and did not, as a sentence; null: nothing. The fault has failed then. Absent: all it does is
   * done when it is injected.
   */
  shortfall?(): string | null;
}

/** What a run gives to its faults. */
export interface FaultEnvironment {
  /** Null on an external target. */
  readonly processes: ProcessControl | null;
  /** Absent: the target's servers are those there are. */
  readonly growth?: Growth | undefined;
  /** Null when the plan has no proxies. */
  readonly proxies: ProxyControl | null;
  /** What must be undone should kvbench be killed; written before the thing is done. */
  readonly journal: UndoLog;
  /** Names of the groups of clients; of one that stands for all where the plan has none. */
  readonly clientGroups: readonly string[];
  view(): TopologyView;
  /** A new direct control connection to a node (never through a proxy); the caller disconnects it. */
  control(nodeId: string): Redis;
  /** For messages that belong on the run's timeline. */
  note(text: string): void;
  /** Aborted when the run must end now. */
  readonly signal: AbortSignal;
}

/** What one fault gets: the run's environment and what the controller adds. */
export interface FaultContext extends FaultEnvironment {
  readonly faultId: number;
  /** Whom it hits, as its kind's `aim` told. */
  readonly aim: Aim;
  /** Which nodes are held down, stopped or cut off, by which faults. Everything that two faults could both do to a node goes through it. */
  readonly holds: NodeHolds;
  /** What only one fault at a time can change and restore. */
  readonly claims: Claims;
}
