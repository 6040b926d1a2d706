/**
 * Commands of faults on control connections of their own: opened for the occasion, closed afterwards, never through a proxy. Used by the
 * fault kinds that act through a server's own commands. It must never leave a connection open; its errors name the node and the command.
 */
import type { Redis } from 'ioredis';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { FaultContext } from './fault.js';

const LOOK_EVERY_US = 20_000;

/** Sends one command. @throws FAULT_FAILED that names node and command, when it is refused or there is no answer */
export type Ask = (name: string, ...args: (string | number)[]) => Promise<unknown>;

/** Runs `work` with a control connection to a node, which it closes again. */
export async function withControl<T>(context: Pick<FaultContext, 'control'>, nodeId: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const redis = context.control(nodeId);
  try {
    return await work(askerOf(redis, nodeId));
  } finally {
    redis.disconnect();
  }
}

/** A connection whose commands may take as long as they like (one of `control` gives up after 2 s). The caller disconnects it. */
export function patientControl(context: Pick<FaultContext, 'control'>, nodeId: string): Redis {
  const redis = context.control(nodeId);
  // ioredis reads the limit anew with each command.
  delete redis.options.commandTimeout;
  return redis;
}

export function askerOf(redis: Redis, nodeId: string): Ask {
  return async (name, ...args) => {
    try {
      return await redis.call(name, ...args);
    } catch (error) {
      const words = [name, ...args.slice(0, 1)].join(' ');
      throw new KvbenchError('FAULT_FAILED', `${nodeId} did not do ${words}: ${messageOf(error)}`);
    }
  };
}

/** Looks until `probe` says so. @throws FAULT_FAILED with `what` after `limitUs`, or when the signal aborts */
export async function untilTrue(what: string, limitUs: number, probe: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
  const untilUs = monotonicUs() + limitUs;
  while (!(await probe())) {
    if (signal?.aborted) throw new KvbenchError('FAULT_FAILED', `the run ended while waiting until ${what}`);
    if (monotonicUs() >= untilUs) throw new KvbenchError('FAULT_FAILED', `waited ${limitUs / 1_000_000} s in vain until ${what}`);
    await sleepUs(LOOK_EVERY_US, signal);
  }
}

/** The value of a setting; undefined when the server has none of that name. */
export async function configValue(ask: Ask, name: string): Promise<string | undefined> {
  const reply = await ask('CONFIG', 'GET', name);
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
}

/** Whether the server is known to be gone, so that what a command did to it is gone too. */
export function hasNoProcess(context: Pick<FaultContext, 'processes'>, nodeId: string): boolean {
  return context.processes !== null && !context.processes.isRunning(nodeId);
}
