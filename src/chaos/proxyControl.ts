/** What faults may ask of the proxies of a run; all of it goes through `toxiproxy-node-client`. */
export interface ToxicSpec {
  type: string;
  stream: 'upstream' | 'downstream';
  /** 0..1 */
  toxicity: number;
  attributes: Record<string, number>;
}

export interface ProxyControl {
  /** Announced `host:port` → proxy address, for clients. */
  readonly natMap: Record<string, { host: string; port: number }>;
  /** Adds a toxic on the client link of a node under a name of its own. */
  addToxic(nodeId: string, name: string, toxic: ToxicSpec): Promise<void>;
  /** No error if it is gone already. */
  removeToxic(nodeId: string, name: string): Promise<void>;
  hasToxic(nodeId: string, name: string): Promise<boolean>;
  /** Disabled: refuses connections and closes those it has. */
  setEnabled(nodeId: string, enabled: boolean): Promise<void>;
  isEnabled(nodeId: string): Promise<boolean>;
  /** Every proxy enabled and without toxics; true when it was so already. */
  isClean(): Promise<boolean>;
  /** Removes the proxies made by this run, and ends the embedded server. */
  close(): Promise<void>;
}
