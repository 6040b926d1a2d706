/**
 * A block of loopback addresses for one run, so that every lab node has one of its own and the link mesh can tell who is calling.
 * Used by lab.ts where the plan has a mesh. It only asks for addresses that are there: it must never change the machine's network.
 */
import { createServer, type Server } from 'node:net';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { RandomStream } from '../base/random.js';

/** Two runs that draw the same block meet on this port of its last address: the second one draws again. */
const CLAIM_PORT = 21_999;
const CLAIM_ADDRESS = 254;
const ATTEMPTS = 200;
/** A sub-stream of our own; see base/random.ts. */
const BLOCK_STREAM = 1101;
/** Second bytes of the blocks: far from 127.0.0.x and 127.0.1.x, which systems use themselves. */
const FIRST_SECOND_BYTE = 64;
const SECOND_BYTES = 64;
/** Where every loopback address has to be added by hand, always the same few blocks. */
const FIXED_BLOCKS = ['127.77.0', '127.77.1', '127.77.2', '127.77.3'];
export const MOST_ADDRESSES = 250;

export interface LoopbackBlock {
  /** The n-th address, from 1 to `MOST_ADDRESSES`. */
  address(n: number): string;
  /** Gives the block back. Safe to call twice. */
  release(): Promise<void>;
}

/**
 * Claims a block of which `count` addresses can be listened on, by listening on its last one until it is released (or this process ends).
 * Throws LAB_FAILED, with the command that adds the addresses where only 127.0.0.1 exists.
 */
export async function claimLoopbackBlock(count: number, listen: typeof listenOn = listenOn): Promise<LoopbackBlock> {
  if (count > MOST_ADDRESSES) throw new KvbenchError('LAB_FAILED', `a link mesh has at most ${MOST_ADDRESSES} nodes, not ${count}`);
  const random = new RandomStream(process.pid * 0x10_0000 + (monotonicUs() % 0x10_0000), BLOCK_STREAM);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const prefix = `127.${FIRST_SECOND_BYTE + random.below(2 * attempt, SECOND_BYTES)}.${random.below(2 * attempt + 1, 256)}`;
    const claim = await listen(`${prefix}.${CLAIM_ADDRESS}`, CLAIM_PORT);
    if (claim === 'EADDRINUSE') continue;
    if (typeof claim === 'string') return claimFixedBlock(count, listen);
    return new ClaimedBlock(prefix, claim);
  }
  throw new KvbenchError('LAB_FAILED', `no loopback block is free after ${ATTEMPTS} tries: something listens on port ${CLAIM_PORT} of all addresses`);
}

/** Of the addresses a system like macOS has been given: the claim is held on the first one. */
async function claimFixedBlock(count: number, listen: typeof listenOn): Promise<LoopbackBlock> {
  for (const prefix of FIXED_BLOCKS) {
    const claim = await listen(`${prefix}.1`, CLAIM_PORT);
    if (claim === 'EADDRINUSE') continue;
    if (typeof claim === 'string') throw missingAddresses(prefix, count);
    for (let n = 2; n <= count; n++) {
      const probe = await listen(`${prefix}.${n}`, CLAIM_PORT);
      if (typeof probe !== 'string') await close(probe);
      else {
        await close(claim);
        throw missingAddresses(prefix, count);
      }
    }
    return new ClaimedBlock(prefix, claim);
  }
  throw new KvbenchError('LAB_FAILED', `the loopback blocks ${FIXED_BLOCKS.join(', ')} are all in use by other runs`, 'Wait for one of them to end.');
}

function missingAddresses(prefix: string, count: number): KvbenchError {
  return new KvbenchError(
    'LAB_FAILED',
    `network faults between nodes need a loopback address for each of the ${count} nodes, and this system has no ${prefix}.1 to ${prefix}.${count}`,
    `Add them until the next restart: for n in $(seq 1 ${count}); do sudo ifconfig lo0 alias ${prefix}.$n up; done`,
  );
}

class ClaimedBlock implements LoopbackBlock {
  readonly #prefix: string;
  #claim: Server | null;

  constructor(prefix: string, claim: Server) {
    this.#prefix = prefix;
    this.#claim = claim;
    claim.unref();
  }

  address(n: number): string {
    return `${this.#prefix}.${n}`;
  }

  async release(): Promise<void> {
    const claim = this.#claim;
    this.#claim = null;
    if (claim) await close(claim);
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The listening server, or the code of the error. */
function listenOn(host: string, port: number): Promise<Server | string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
