/**
 * The `client-pause` fault: a server that holds its clients' commands back (CLIENT PAUSE) while replication goes on. Used through the
 * registry. Should kvbench vanish, the pause ends by itself: it is made of short ones, each renewed by a connection of the fault's own.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import type { NodeView } from '../../topology/target.js';
import { hasNoProcess, patientControl, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';
import { withLimit } from '../lane.js';

/** How long one of the renewed pauses is: what is left of the pause when its connection closes. */
const SLICE_MS = 250;
/** A pause of all commands holds back the commands that renew it too: so many wait on the server, in order. */
const SLICES_AHEAD = 40;
const CONFIRM_LIMIT_US = 3_000_000;
const LOOK_LIMIT_US = 1_000_000;

const params = z.strictObject({
  commands: z
    .enum(['write', 'all'])
    .default('write')
    .describe(
      'write: commands that write or publish wait, and what comes behind one on the same connection; other reads are answered. all: every command of every client waits, kvbench’s own looks at the node too.',
    ),
});
type PauseParams = z.infer<typeof params>;

export const clientPause: FaultKind<PauseParams> = {
  kind: 'client-pause',
  summary: 'Has a server hold back its clients’ commands (CLIENT PAUSE): connections stay open and replication goes on, so it is no partition.',
  healSummary:
    'The commands that waited are carried out (CLIENT UNPAUSE; with `commands: all` the pause is no longer renewed and ends within 250 ms).',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#7d6608', label: 'client pause' },
  example: '{ at: 8s, for: 2s, fault: client-pause, node: "master[0]", commands: write }',
  inject(context, targets, { commands }) {
    return injectIntoEach(context, targets, (node) => new ClientPause(context, node, commands).inject());
  },
};

class ClientPause {
  readonly #context: FaultContext;
  readonly #nodeId: string;
  readonly #commands: PauseParams['commands'];
  readonly #claim: string;
  readonly #ending = new AbortController();
  #redis: Redis | null = null;
  #renewing: Promise<void> = Promise.resolve();

  constructor(context: FaultContext, node: NodeView, commands: PauseParams['commands']) {
    this.#context = context;
    this.#nodeId = node.id;
    this.#commands = commands;
    this.#claim = `the client pause of ${node.id}`;
  }

  async inject(): Promise<ActiveFault> {
    const { claims, faultId } = this.#context;
    claims.take(this.#claim, faultId);
    const redis = patientControl(this.#context, this.#nodeId);
    this.#redis = redis;
    try {
      await redis.connect();
      const injectedAtUs = monotonicUs();
      await withLimit(this.#pause(redis), CONFIRM_LIMIT_US, `CLIENT PAUSE on ${this.#nodeId}`);
      this.#renewing = this.#renew(redis);
      return { injectedAtUs, heal: () => this.#heal(), isHealed: () => this.#isHealed() };
    } catch (error) {
      await this.#heal().catch((later: unknown) => this.#context.note(`${this.#nodeId}: ${messageOf(later)}`));
      throw new KvbenchError('FAULT_FAILED', `${this.#nodeId} did not pause its clients: ${messageOf(error)}`);
    }
  }

  #pause(redis: Redis): Promise<unknown> {
    return redis.call('CLIENT', 'PAUSE', SLICE_MS, this.#commands.toUpperCase());
  }

  /**
   * Warning, order matters: while all commands wait, those sent here wait in front of everybody else's, so that at the end of one pause the
   * next begins before any client gets a word in.
   */
  async #renew(redis: Redis): Promise<void> {
    const ahead: Promise<unknown>[] = [];
    while (!this.#ending.signal.aborted && redis.status === 'ready') {
      if (this.#commands === 'write') {
        await this.#pause(redis).catch(() => undefined);
        await sleepUs((SLICE_MS * 1000) / 2.5, this.#ending.signal);
        continue;
      }
      while (ahead.length < SLICES_AHEAD) ahead.push(this.#pause(redis).catch(() => undefined));
      await ahead.shift();
    }
    if (!this.#ending.signal.aborted) this.#context.note(`the pause of ${this.#nodeId}’s clients has ended: its connection was closed`);
  }

  async #heal(): Promise<void> {
    const { claims, faultId } = this.#context;
    this.#ending.abort();
    const redis = this.#redis;
    this.#redis = null;
    // Closing it takes back the pauses that wait on the server, and ends the waiting for them here.
    redis?.disconnect();
    await this.#renewing;
    if (this.#commands === 'write' && !hasNoProcess(this.#context, this.#nodeId)) {
      await withControl(this.#context, this.#nodeId, (ask) => ask('CLIENT', 'UNPAUSE'));
    }
    claims.release(this.#claim, faultId);
  }

  /** PUBLISH is held back by both kinds of pause. Nobody listens on the channel. */
  async #isHealed(): Promise<boolean> {
    if (hasNoProcess(this.#context, this.#nodeId)) return true;
    const answered = withControl(this.#context, this.#nodeId, (ask) => ask('PUBLISH', 'kvbench:is-paused', ''));
    return withLimit(answered, LOOK_LIMIT_US, 'looking').then(
      () => true,
      () => false,
    );
  }
}
