/**
 * Watches one ioredis connection: says when it opened, closed or failed and why, and ends one that hangs in its handshake. Made by
 * the ioredis fleets for every connection to a node; it never sends anything.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { Reason } from '../result/records.js';
import type { ConnectionNews } from './connectionNews.js';
import { OperationCommand } from './operationCommand.js';

export class ConnectionWatch {
  /** Why it last failed or closed. */
  lastReason: Reason = 'closed';
  #wasReady = false;
  #connectingSinceUs: number | null = null;

  /**
   * @param address as the node announces itself, not the proxy's; of a connection that sentinels lead: where it is or was last
   * @param hadConnection tells whether this place in the client was connected to the address before, and notes that it is now
   */
  constructor(
    readonly redis: Redis,
    readonly address: string | (() => string),
    readonly news: ConnectionNews,
    hadConnection: () => boolean,
  ) {
    redis.on('connecting', () => {
      this.#connectingSinceUs = monotonicUs();
    });
    redis.on('ready', () => {
      this.#connectingSinceUs = null;
      this.#wasReady = true;
      this.lastReason = 'closed';
      if (hadConnection()) news.reconnects++;
      news.tell(this.#address(), 'ready', '');
    });
    redis.on('error', (error: Error) => {
      this.lastReason = reasonOfConnectionError(error);
      news.lastReason = this.lastReason;
    });
    redis.on('close', () => {
      this.#connectingSinceUs = null;
      news.tell(this.#address(), this.#wasReady ? 'closed' : 'failed', this.lastReason);
      this.#wasReady = false;
    });
    this.#noteCommands();
  }

  #address(): string {
    return typeof this.address === 'string' ? this.address : this.address();
  }

  /** Ends the connection when it has been connecting for longer than this; ioredis itself waits for ever for a handshake's reply. */
  endIfHanging(limitUs: number): void {
    if (this.#connectingSinceUs === null || monotonicUs() - this.#connectingSinceUs < limitUs) return;
    this.#connectingSinceUs = null;
    this.lastReason = 'unreachable';
    this.redis.disconnect(true);
  }

  /** Every operation that ioredis gives to this connection remembers it, so that its failure has this connection's reason. */
  #noteCommands(): void {
    const send = this.redis.sendCommand;
    const watch = this;
    this.redis.sendCommand = function sendNoted(this: Redis, command, stream) {
      if (command instanceof OperationCommand) command.connection = watch;
      return send.call(this, command, stream);
    };
  }
}

/** Why a connection failed, from Node's or the server's error. */
export function reasonOfConnectionError(error: Error & { code?: string }): Reason {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unreachable';
    default:
      return error.name === 'ParserError' || /protocol/i.test(error.message) ? 'protocol' : 'closed';
  }
}
