/** What faults may ask of the proxies of a run, one for each link; all of it goes through `toxiproxy-node-client`. */
import type { LinkRef } from './links.js';

export interface ToxicSpec {
  type: string;
  stream: 'upstream' | 'downstream';
  /** 0..1 */
  toxicity: number;
  attributes: Record<string, number>;
}

export type NatMap = Record<string, { host: string; port: number }>;

export interface ProxyControl {
  /** Announced `host:port` → proxy address, for clients of the first group. */
  readonly natMap: NatMap;
  /** The same for the clients of a group. */
  natMapOf(clientGroup: string): NatMap;
  /** All links: those of clients, and in a plan with a mesh those between the nodes. */
  readonly links: readonly LinkRef[];
  /** Adds a toxic to a link under a name of its own. */
  addToxic(link: LinkRef, name: string, toxic: ToxicSpec): Promise<void>;
  /** No error if it is gone already. */
  removeToxic(link: LinkRef, name: string): Promise<void>;
  hasToxic(link: LinkRef, name: string): Promise<boolean>;
  /** How many of the run's proxies have a toxic of this name; one look at all of them. */
  countToxics(name: string): Promise<number>;
  /** Disabled: refuses connections and closes those it has. */
  setEnabled(link: LinkRef, enabled: boolean): Promise<void>;
  isEnabled(link: LinkRef): Promise<boolean>;
  /** Every proxy enabled and without toxics; of proxies that are shared with others, as far as this process has changed them. */
  isClean(): Promise<boolean>;
  /** Removes the proxies made by this run, and ends the embedded server; those of a lab in the background stay. */
  close(): Promise<void>;
}
