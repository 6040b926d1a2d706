/**
 * What becomes of an operation that a node of a cluster sent elsewhere: MOVED, ASK and TRYAGAIN. Owned by WireClient. The only place where an
 * operation goes out again, and only because a reply said that it was not executed.
 */
import { monotonicUs } from '../../base/clock.js';
import type { Reason } from '../../result/records.js';
import { type Completion, OutcomeIndex } from '../client.js';
import { reasonIndex } from '../reasonIndex.js';
import type { PendingOperation } from './connectionSeam.js';
import type { Delays } from './delays.js';
import type { WireConnection } from './wireConnection.js';
import type { WireNode } from './wireNode.js';

/** How often one operation follows MOVED, ASK and TRYAGAIN before it fails. */
const REDIRECTION_LIMIT = 16;
/** TRYAGAIN and a redirection to a node that is not connected yet are tried again after this. */
const TRY_AGAIN_MS = 20;

export interface RedirectionOwner {
  /** The node of this address (`:port` alone: of the first seed's host), which is made and connected to where it is new. */
  nodeAt(address: string): WireNode;
  /** The node that serves the operation's key by now; undefined: not known. */
  nodeOf(operation: PendingOperation): WireNode | undefined;
  /** A node said that this one serves the slot. */
  moved(slot: number, node: WireNode): void;
  /** It goes out on this connection with the next flush. */
  pushAgain(connection: WireConnection, operation: PendingOperation): void;
  flush(): void;
}

export class Redirections {
  readonly #owner: RedirectionOwner;
  readonly #delays: Delays;
  readonly #completion: Completion;

  constructor(owner: RedirectionOwner, delays: Delays, completion: Completion) {
    this.#owner = owner;
    this.#delays = delays;
    this.#completion = completion;
  }

  /** @param text of the reply: `MOVED 3999 127.0.0.1:6381` */
  follow(operation: PendingOperation, word: 'MOVED' | 'ASK', text: string, doneUs: number): void {
    const [, slotText, address] = text.split(' ');
    const slot = Number(slotText);
    if (address === undefined || !Number.isInteger(slot) || slot < 0 || slot > 16_383 || operation.attempts >= REDIRECTION_LIMIT) {
      return this.#fail(operation, 'too-many-redirections', doneUs);
    }
    const node = this.#owner.nodeAt(address);
    if (word === 'MOVED') this.#owner.moved(slot, node);
    this.#sendAgain(operation, node, word === 'ASK', doneUs);
    // The engine may have nothing more to send before this one is answered.
    this.#owner.flush();
  }

  tryAgain(operation: PendingOperation, doneUs: number): void {
    if (operation.attempts >= REDIRECTION_LIMIT) return this.#fail(operation, 'TRYAGAIN', doneUs);
    operation.attempts++;
    this.#delays.after(TRY_AGAIN_MS, () => {
      const node = this.#owner.nodeOf(operation);
      if (node === undefined) return this.tryAgain(operation, monotonicUs());
      this.#sendAgain({ ...operation, attempts: operation.attempts - 1 }, node, false, monotonicUs());
      this.#owner.flush();
    });
  }

  #sendAgain(operation: PendingOperation, node: WireNode, asking: boolean, doneUs: number): void {
    const connection = node.pick();
    if (connection === null) return this.tryAgain(operation, doneUs);
    if (asking) connection.pushAsking();
    this.#owner.pushAgain(connection, operation);
  }

  #fail(operation: PendingOperation, reason: Reason, doneUs: number): void {
    this.#completion(operation.token, OutcomeIndex.fail, reasonIndex[reason], operation.sentUs, doneUs, operation.attempts);
  }
}
