/**
 * Reads a socket into one buffer that is used again, instead of a new one for each chunk: about a tenth of the proxy's CPU. Made by
 * tcpProxy.ts for the upstream's side (Node offers it for sockets that dial, not for accepted ones), asked by link.ts.
 * HOT: it must never read into a buffer that somebody still needs.
 */
import type { OnReadOpts } from 'node:net';

const BUFFER_BYTES = 64 * 1024;

export class StaticReading {
  /** Takes what was read. @returns whether the data are still needed once it has returned: then the buffer is the taker's to keep */
  onData: (data: Buffer) => boolean = () => false;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #isGivenAway = false;

  /** For `net.connect`. Whoever dials sets `onData` before the first turn of the event loop after 'connect'. */
  readonly options: OnReadOpts = {
    // Asked for at the start and again after each chunk.
    buffer: () => {
      if (this.#isGivenAway) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
      this.#isGivenAway = false;
      return this.#buffer;
    },
    callback: (lengthBytes) => {
      this.#isGivenAway = this.onData(this.#buffer.subarray(0, lengthBytes));
      return true;
    },
  };
}
