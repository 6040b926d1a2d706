/** What embedded.ts and embeddedWorker.ts say to each other: one union per direction, switched exhaustively. */

/** The worker's `workerData`. */
export interface EmbeddedWorkerOptions {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly metrics: boolean;
}

export type EmbeddedWorkerMessage = { readonly kind: 'listening'; readonly url: string } | { readonly kind: 'failed'; readonly reason: string };

export type EmbeddedWorkerCommand = { readonly kind: 'close' };
