/**
 * The `config` fault: other settings of a server for a time (CONFIG SET), the old ones restored. Used through the registry. It never
 * writes a configuration file: a server that is started again has what it was started with.
 */
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import type { NodeView } from '../../topology/target.js';
import { type Ask, configValue, hasNoProcess, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';
import type { UndoEntry } from '../undoJournal.js';

/** Settings that would cut kvbench off from the server, or act beyond it. */
const forbidden =
  /^(port|bind|tls-port|requirepass|(master|primary)(auth|user)|tls-.*key-file-pass|user|dir|dbfilename|logfile|cluster-port|cluster-announce-.*|unixsocket.*|aclfile)$/;

const params = z.strictObject({
  set: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .refine((set) => Object.keys(set).length > 0, 'must name at least one setting, like { maxmemory: 10mb }')
    .refine((set) => !Object.keys(set).some((name) => forbidden.test(name.toLowerCase())), 'must not hold addresses, ports, passwords or files')
    .describe('Settings and their values while the fault is in force, by the names CONFIG SET knows.')
    .meta({ title: 'map of setting → value', examples: [{ maxmemory: '10mb', 'maxmemory-policy': 'noeviction' }] }),
});
type ConfigParams = z.infer<typeof params>;

export const config: FaultKind<ConfigParams> = {
  kind: 'config',
  summary: 'Gives a server other settings for a time (CONFIG SET): too little memory, another fsync policy, a short client timeout.',
  healSummary: 'Each setting gets the value it had before.',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#5d6d7e', label: 'config' },
  example: '{ at: 8s, for: 5s, fault: config, node: "all masters", set: { maxmemory: 1mb, maxmemory-policy: noeviction } }',
  inject(context, targets, { set }) {
    const settings = Object.entries(set).map(([name, value]): [string, string] => [name.toLowerCase(), textOf(value)]);
    return injectIntoEach(context, targets, (node) => new OtherSettings(context, node).inject(settings));
  },
};

class OtherSettings {
  readonly #context: FaultContext;
  readonly #nodeId: string;
  readonly #address: string;
  readonly #before = new Map<string, string>();
  readonly #undo: UndoEntry[] = [];

  constructor(context: FaultContext, { id, address }: NodeView) {
    this.#context = context;
    this.#nodeId = id;
    this.#address = address;
  }

  async inject(settings: readonly [string, string][]): Promise<ActiveFault> {
    const { claims, faultId, journal } = this.#context;
    const injectedAtUs = monotonicUs();
    try {
      await withControl(this.#context, this.#nodeId, async (ask) => {
        for (const [name, value] of settings) {
          claims.take(this.#claim(name), faultId);
          const before = await configValue(ask, name);
          if (before === undefined)
            throw new KvbenchError('FAULT_FAILED', `${this.#nodeId} has no setting "${name}"`, 'See CONFIG GET * for what it has.');
          this.#before.set(name, before);
          const args = ['CONFIG', 'SET', name, before];
          this.#undo.push(await journal.add({ kind: 'command', node: this.#nodeId, address: this.#address, args }));
          await ask('CONFIG', 'SET', name, value);
        }
      });
    } catch (error) {
      await this.#heal().catch((later: unknown) => this.#context.note(`${this.#nodeId}: ${messageOf(later)}`));
      for (const [name] of settings) claims.release(this.#claim(name), faultId);
      throw error;
    }
    return { injectedAtUs, heal: () => this.#heal(), isHealed: () => this.#isHealed() };
  }

  /** The last one set comes first: a later setting may only be legal with an earlier one. */
  async #heal(): Promise<void> {
    const { claims, faultId } = this.#context;
    if (!hasNoProcess(this.#context, this.#nodeId)) {
      await withControl(this.#context, this.#nodeId, async (ask) => {
        for (const [name, value] of [...this.#before].reverse()) await ask('CONFIG', 'SET', name, value);
      });
    }
    for (const entry of this.#undo) await entry.done();
    for (const name of this.#before.keys()) claims.release(this.#claim(name), faultId);
  }

  async #isHealed(): Promise<boolean> {
    if (hasNoProcess(this.#context, this.#nodeId)) return true;
    const same = async (ask: Ask): Promise<boolean> => {
      for (const [name, value] of this.#before) if ((await configValue(ask, name)) !== value) return false;
      return true;
    };
    return withControl(this.#context, this.#nodeId, same);
  }

  #claim(name: string): string {
    return `${name} of ${this.#nodeId}`;
  }
}

function textOf(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}
