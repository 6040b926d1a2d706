/** What mesh.ts and meshWorker.ts say to each other: one union per direction, switched exhaustively. */

/** What a listener is for: a node's client port, at which the other nodes call it for replication, or its cluster bus. */
export type ListenerKind = 'main' | 'bus';

/** Who calls which listener, and the proxy that connection goes to. `source` null: everybody else. */
export interface MeshRoute {
  readonly nodeId: string;
  readonly kind: ListenerKind;
  readonly source: string | null;
  readonly proxy: { readonly host: string; readonly port: number };
}

export type MeshCommand =
  | {
      readonly type: 'listen';
      readonly id: number;
      readonly nodeId: string;
      readonly kind: ListenerKind;
      readonly host: string;
      readonly port: number;
    }
  | { readonly type: 'routes'; readonly id: number; readonly routes: readonly MeshRoute[] }
  | { readonly type: 'close'; readonly id: number };

/** The answer to each command; `problem` null: done. */
export interface MeshReply {
  readonly id: number;
  readonly problem: string | null;
}
