/**
 * The processes of a lab: `ProcessControl` for the faults, and starting for lab.ts. Everything goes through the supervisor, and only
 * to the servers it started.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { noAccess, openControl } from './connection.js';
import { parseInfo } from './infoReply.js';
import { CLUSTER_FILE, CONFIG_FILE, LOG_FILE } from './labConfig.js';
import type { Supervisor } from './supervisorClient.js';
import { type LabSignal, OUTPUT_FILE } from './supervisorProtocol.js';
import type { ProcessChange, ProcessControl } from './target.js';
import { waitFor } from './waiting.js';

/** A server of the lab as it is started, and started again. */
export interface ServerSpec {
  program: string;
  args: string[];
  host: string;
  port: number;
  /** Files of its folder that are written before its first start: name → text. A later start finds them as the server left them. */
  files?: Record<string, string>;
}

const ANSWER_LIMIT_US = 15_000_000;
/** A SIGTERM waits up to 10 s for replicas (shutdown-timeout). */
const LEAVING_LIMIT_US = 15_000_000;
const LOOK_EVERY_US = 10_000;
/** Starting again on the same port: how long somebody else's hold on it is waited for. */
const PORT_LIMIT_US = 3_000_000;
/** What a node keeps when its data is removed. */
const keptFiles: readonly string[] = [LOG_FILE, OUTPUT_FILE, CLUSTER_FILE, CONFIG_FILE];
const LOG_TAIL_LINES = 8;
const LOG_TAIL_CHARS = 20_000;

export class LabProcesses implements ProcessControl {
  readonly #supervisor: Supervisor;
  readonly #specs = new Map<string, ServerSpec>();
  readonly #leaving = new Set<string>();
  readonly #listeners: ((change: ProcessChange) => void)[] = [];
  readonly #lastExitUs = new Map<string, number>();

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
    supervisor.onExit = ({ node, pid, exitCode, signal, atUs }) => {
      this.#leaving.delete(node);
      this.#lastExitUs.set(node, atUs);
      this.#tell({ node, pid, state: 'exited', exitCode, signal, atUs });
    };
  }

  pidOf(nodeId: string): number | null {
    return this.#supervisor.pidOf(nodeId);
  }

  isRunning(nodeId: string): boolean {
    return this.#supervisor.pidOf(nodeId) !== null;
  }

  async signal(nodeId: string, signal: LabSignal): Promise<{ atUs: number }> {
    try {
      const { atUs } = await this.#supervisor.signal(nodeId, signal);
      if ((signal === 'SIGKILL' || signal === 'SIGTERM') && this.isRunning(nodeId)) this.#leaving.add(nodeId);
      return { atUs };
    } catch (thrown) {
      throw new KvbenchError('FAULT_FAILED', `${signal} could not be sent to ${nodeId}: ${messageOf(thrown)}`);
    }
  }

  async start(nodeId: string): Promise<void> {
    const spec = this.#specs.get(nodeId);
    if (!spec) throw new KvbenchError('FAULT_FAILED', `${nodeId} is not a server of this lab`);
    // The heal of a kill may come before the killed process has gone.
    if (this.#leaving.has(nodeId)) await this.waitForExit(nodeId, LEAVING_LIMIT_US);
    const untilUs = monotonicUs() + PORT_LIMIT_US;
    for (;;) {
      const sizeBefore = this.logText(nodeId).length;
      try {
        if (!this.isRunning(nodeId)) await this.#launch(nodeId, spec);
        return await this.waitForAnswer(nodeId);
      } catch (thrown) {
        const clash = isPortClash(this.logText(nodeId).slice(sizeBefore));
        if (!clash || monotonicUs() > untilUs) {
          throw new KvbenchError('FAULT_FAILED', `${nodeId} did not start again: ${messageOf(thrown)}`, this.logTail(nodeId));
        }
      }
    }
  }

  async removeData(nodeId: string): Promise<void> {
    if (!this.#specs.has(nodeId)) throw new KvbenchError('FAULT_FAILED', `${nodeId} is not a server of this lab`);
    if (this.isRunning(nodeId)) throw new KvbenchError('FAULT_FAILED', `the data of ${nodeId} cannot be removed while it is running`);
    const folder = join(this.#supervisor.folder, nodeId);
    for (const name of readdirSync(folder)) {
      if (!keptFiles.includes(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  replaceProgram(nodeId: string, program: string): void {
    const spec = this.#specs.get(nodeId);
    if (!spec) throw new KvbenchError('FAULT_FAILED', `${nodeId} is not a server of this lab`);
    this.#specs.set(nodeId, { ...spec, program });
  }

  async waitForExit(nodeId: string, timeoutUs: number): Promise<{ atUs: number }> {
    return waitFor(() => (this.isRunning(nodeId) ? undefined : { atUs: this.#lastExitUs.get(nodeId) ?? monotonicUs() }), {
      limitUs: timeoutUs,
      everyUs: 2000,
      timedOut: () => new KvbenchError('FAULT_FAILED', `the process of ${nodeId} (pid ${this.pidOf(nodeId)}) has not gone`),
    });
  }

  onChange(listener: (change: ProcessChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Starts a node for the first time, or with another spec than before; does not wait for it to answer. Throws LAB_FAILED. */
  async launch(nodeId: string, spec: ServerSpec): Promise<void> {
    this.#specs.set(nodeId, spec);
    try {
      this.#writeFiles(nodeId, spec);
      await this.#launch(nodeId, spec);
    } catch (thrown) {
      throw new KvbenchError('LAB_FAILED', `${spec.program} could not be started: ${messageOf(thrown)}`);
    }
  }

  /**
   * Resolves when the server answers (PING's worth: it may still load its data) and is the process we started, not a stranger on its port.
   * Throws an Error with the reason when it ends instead, or after 15 s.
   */
  async waitForAnswer(nodeId: string, signal?: AbortSignal): Promise<void> {
    const spec = this.#specs.get(nodeId);
    if (!spec) throw new Error(`${nodeId} is not a server of this lab`);
    await waitFor(
      async () => {
        if (!this.isRunning(nodeId)) throw new Error(`${nodeId} ended instead of starting`);
        const redis = openControl(spec.host, spec.port, noAccess);
        try {
          const info = parseInfo(await redis.info('server'));
          return info.get('process_id') === String(this.pidOf(nodeId)) ? true : undefined;
        } catch {
          return undefined;
        } finally {
          redis.disconnect();
        }
      },
      {
        limitUs: ANSWER_LIMIT_US,
        everyUs: LOOK_EVERY_US,
        ...(signal ? { signal } : {}),
        timedOut: (aborted) =>
          new Error(
            aborted ? 'interrupted' : `${nodeId} (${spec.host}:${spec.port}) did not answer within ${ANSWER_LIMIT_US / 1_000_000} s of its start`,
          ),
      },
    );
  }

  logFile(nodeId: string): string {
    return join(this.#supervisor.folder, nodeId, LOG_FILE);
  }

  /** What the node's server has printed and logged; empty when there is nothing. */
  logText(nodeId: string): string {
    const folder = join(this.#supervisor.folder, nodeId);
    return readIfThere(join(folder, OUTPUT_FILE)) + readIfThere(join(folder, LOG_FILE));
  }

  /** For hints: the last lines of the node's log. */
  logTail(nodeId: string): string {
    const lines = this.logText(nodeId)
      .slice(-LOG_TAIL_CHARS)
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '');
    return lines.length === 0 ? `${nodeId} has logged nothing` : `last lines of ${nodeId}'s log:\n  ${lines.slice(-LOG_TAIL_LINES).join('\n  ')}`;
  }

  async #launch(nodeId: string, spec: ServerSpec): Promise<void> {
    const { pid, atUs } = await this.#supervisor.start(nodeId, spec.program, spec.args);
    this.#tell({ node: nodeId, pid, state: 'started', exitCode: null, signal: null, atUs });
  }

  #writeFiles(nodeId: string, { files = {} }: ServerSpec): void {
    const folder = join(this.#supervisor.folder, nodeId);
    if (Object.keys(files).length > 0) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  }

  #tell(change: ProcessChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Whether the log says that a port was taken. */
export function isPortClash(log: string): boolean {
  return /Address already in use|Failed listening on port/.test(log);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
