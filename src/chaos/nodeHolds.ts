/**
 * Which faults hold which node down or stopped, and (through `links`) which links closed. Faults overlap: a condition is brought about by the first fault that wants it
 * and undone only by the last one that lets go, so that healing one never undoes another. Called by the faults, one instance per run.
 * It must never act on a process or a proxy that the run does not own: it only knows what `ProcessControl` and `ProxyControl` reach.
 */
import { assert } from '../base/assert.js';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { ProcessControl } from '../topology/target.js';
import { Lane, withLimit } from './lane.js';
import { LinkHolds } from './linkHolds.js';
import { isProcessStopped } from './processState.js';
import type { ProxyControl } from './proxyControl.js';

/** From SIGKILL to the exit. */
const EXIT_LIMIT_US = 5_000_000;
/** From SIGTERM to the exit: a server waits up to 10 s for its replicas (shutdown-timeout). After it, SIGKILL. */
const LEAVE_LIMIT_US = 12_000_000;
/** From the start of a server to its first answer. */
const START_LIMIT_US = 8_000_000;
/** From SIGSTOP to the stopped state. */
const STOP_LIMIT_US = 2_000_000;
const STOP_POLL_US = 1_000;

export type EndSignal = 'SIGKILL' | 'SIGTERM';

/** One fault's claim that a node be down. Times are machine monotonic. */
interface DownClaim {
  readonly faultId: number;
  readonly fromUs: number;
  toUs: number | null;
  /** False when the node was down already. */
  signalled: boolean;
}

interface NodeBook {
  /** Signals and starts, one at a time. */
  readonly processLane: Lane;
  readonly down: Map<number, DownClaim>;
  /** All claims ever made: who meant an exit. */
  readonly downHistory: DownClaim[];
  readonly paused: Set<number>;
  /** The process that was told to end. */
  doomedPid: number | null;
  starting: boolean;
}

export class NodeHolds {
  readonly links: LinkHolds;
  readonly #processes: ProcessControl | null;
  readonly #note: (text: string) => void;
  readonly #books = new Map<string, NodeBook>();
  #following = true;

  constructor(processes: ProcessControl | null, proxies: ProxyControl | null, note: (text: string) => void) {
    this.#processes = processes;
    this.#note = note;
    this.links = new LinkHolds(proxies, (nodeId) => !this.#book(nodeId).starting && (processes === null || processes.isRunning(nodeId)));
    // A proxy in front of a dead server would accept and hang up; the server itself refuses. So whatever ends a server closes its link.
    if (proxies) processes?.onChange((change) => change.state === 'exited' && this.#following && this.#linkFollows(change.node));
  }

  /** From now on the links of servers that end are left alone: the run is over, and its proxies may be gone before its servers. */
  stopFollowing(): void {
    this.#following = false;
  }

  /**
   * Ends the server's process; SIGKILL is confirmed by its exit, SIGTERM by its delivery. Resolves to when the signal was delivered.
   * @throws FAULT_FAILED when it is not running and no fault holds it down.
   */
  takeDown(nodeId: string, faultId: number, signal: EndSignal): Promise<number> {
    const book = this.#book(nodeId);
    return book.processLane.run(async () => {
      const processes = this.#ownProcesses();
      const running = processes.isRunning(nodeId);
      if (!running && book.down.size === 0) throw notRunning(nodeId, 'ended');
      const claim: DownClaim = { faultId, fromUs: monotonicUs(), toUs: null, signalled: running };
      book.down.set(faultId, claim);
      book.downHistory.push(claim);
      if (!running) {
        this.#note(`${nodeId} is down already, by fault ${[...book.down.keys()][0]}`);
        return claim.fromUs;
      }
      try {
        book.doomedPid = processes.pidOf(nodeId);
        const { atUs } = await processes.signal(nodeId, signal);
        if (signal === 'SIGKILL') {
          await processes.waitForExit(nodeId, EXIT_LIMIT_US);
          await this.links.follow(nodeId);
        }
        return atUs;
      } catch (error) {
        await this.#letUp(nodeId, book, faultId).catch((later) => this.#note(`${nodeId}: ${messageOf(later)}`));
        throw error;
      }
    });
  }

  /** Lets go; the last one to do so starts the server again (and stops it again where a pause is still in force). */
  releaseDown(nodeId: string, faultId: number): Promise<void> {
    const book = this.#book(nodeId);
    return book.processLane.run(() => this.#letUp(nodeId, book, faultId));
  }

  /** Whether this fault's part is over and the node is up, or down for another fault's sake. */
  async isUpAgain(nodeId: string, faultId: number): Promise<boolean> {
    const book = this.#book(nodeId);
    if (book.down.has(faultId)) return false;
    if (book.down.size > 0) return true;
    if (!this.#ownProcesses().isRunning(nodeId) || book.starting) return false;
    return this.links.isFollowing(nodeId);
  }

  /** Stops the server's process where it stands; resolves, once it has stopped, to when that was. */
  takePaused(nodeId: string, faultId: number): Promise<number> {
    const book = this.#book(nodeId);
    return book.processLane.run(async () => {
      const processes = this.#ownProcesses();
      const pid = processes.pidOf(nodeId);
      if (!processes.isRunning(nodeId) || pid === null) throw notRunning(nodeId, 'paused');
      book.paused.add(faultId);
      try {
        const { atUs } = await processes.signal(nodeId, 'SIGSTOP');
        return await confirmStopped(nodeId, pid, atUs);
      } catch (error) {
        await this.#resume(nodeId, book, faultId).catch((later) => this.#note(`${nodeId}: ${messageOf(later)}`));
        throw error;
      }
    });
  }

  /** Lets go; the last one to do so lets the process go on, if there is one. */
  releasePaused(nodeId: string, faultId: number): Promise<void> {
    const book = this.#book(nodeId);
    return book.processLane.run(() => this.#resume(nodeId, book, faultId));
  }

  /** Whether this fault's part is over and the process is not stopped, or stopped for another fault's sake, or gone. */
  async isResumed(nodeId: string, faultId: number): Promise<boolean> {
    const book = this.#book(nodeId);
    if (book.paused.has(faultId)) return false;
    const pid = this.#ownProcesses().pidOf(nodeId);
    return book.paused.size > 0 || pid === null || !(await isProcessStopped(pid));
  }

  /** The fault that meant this exit of a server (machine monotonic µs); null: nobody did, it is an incident. */
  faultOfExit(nodeId: string, atUs: number): number | null {
    const history = this.#books.get(nodeId)?.downHistory ?? [];
    return history.findLast((claim) => claim.signalled && claim.fromUs <= atUs && (claim.toUs === null || atUs <= claim.toUs))?.faultId ?? null;
  }

  async #letUp(nodeId: string, book: NodeBook, faultId: number): Promise<void> {
    const claim = book.down.get(faultId);
    if (!claim) return;
    if (book.down.size === 1) await this.#bringUp(nodeId, book);
    book.down.delete(faultId);
    claim.toUs = monotonicUs();
    if (book.down.size > 0) return;
    if (book.paused.size > 0) await this.#ownProcesses().signal(nodeId, 'SIGSTOP');
    await this.links.follow(nodeId);
  }

  async #bringUp(nodeId: string, book: NodeBook): Promise<void> {
    const processes = this.#ownProcesses();
    if (processes.isRunning(nodeId) && processes.pidOf(nodeId) === book.doomedPid) await this.#seeOff(nodeId, book);
    book.doomedPid = null;
    if (processes.isRunning(nodeId)) return;
    book.starting = true;
    try {
      await withLimit(processes.start(nodeId), START_LIMIT_US, `starting ${nodeId} again`);
    } finally {
      book.starting = false;
    }
  }

  /** Waits for a server that was told to leave, and ends it when it does not (a stopped one cannot). */
  async #seeOff(nodeId: string, book: NodeBook): Promise<void> {
    const processes = this.#ownProcesses();
    if (book.paused.size === 0) {
      const left = await processes.waitForExit(nodeId, LEAVE_LIMIT_US).then(
        () => true,
        () => !processes.isRunning(nodeId),
      );
      if (left) return;
      this.#note(`${nodeId} had not left ${LEAVE_LIMIT_US / 1_000_000} s after its SIGTERM was waited for: SIGKILL`);
    }
    await processes.signal(nodeId, 'SIGKILL');
    await processes.waitForExit(nodeId, EXIT_LIMIT_US);
  }

  async #resume(nodeId: string, book: NodeBook, faultId: number): Promise<void> {
    if (!book.paused.has(faultId)) return;
    const processes = this.#ownProcesses();
    if (book.paused.size === 1 && processes.isRunning(nodeId)) {
      await processes.signal(nodeId, 'SIGCONT').catch((error) => {
        if (processes.isRunning(nodeId)) throw error;
      });
    }
    book.paused.delete(faultId);
  }

  #linkFollows(nodeId: string): void {
    this.links.follow(nodeId).catch((error) => this.#note(`the proxy of ${nodeId} does not follow its server: ${messageOf(error)}`));
  }

  #ownProcesses(): ProcessControl {
    assert(this.#processes, 'a process fault ran without processes');
    return this.#processes;
  }

  #book(nodeId: string): NodeBook {
    let book = this.#books.get(nodeId);
    if (!book) {
      book = {
        processLane: new Lane(),
        down: new Map(),
        downHistory: [],
        paused: new Set(),
        doomedPid: null,
        starting: false,
      };
      this.#books.set(nodeId, book);
    }
    return book;
  }
}

/** A process stops when it next gets to run, or comes back from a slow disk. Resolves to the last moment at which it had not stopped. */
async function confirmStopped(nodeId: string, pid: number, signalledUs: number): Promise<number> {
  let notYetUs = signalledUs;
  for (;;) {
    const lookUs = monotonicUs();
    if (await isProcessStopped(pid)) return notYetUs;
    if (lookUs > signalledUs + STOP_LIMIT_US) {
      throw new KvbenchError('FAULT_FAILED', `${nodeId} did not stop within ${STOP_LIMIT_US / 1_000_000} s of its SIGSTOP`);
    }
    notYetUs = lookUs;
    await sleepUs(STOP_POLL_US);
  }
}

function notRunning(nodeId: string, what: string): KvbenchError {
  return new KvbenchError(
    'FAULT_FAILED',
    `${nodeId} is not running, so it cannot be ${what}`,
    'Choose a node that is up, or wait for it with `after`.',
  );
}
