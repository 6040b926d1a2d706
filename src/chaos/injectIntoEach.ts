/** Makes one fault of several nodes, or links, out of a fault of one. Called by the fault kinds; it knows nothing about any of them. */
import { messageOf } from '../base/errors.js';
import type { ActiveFault, FaultContext } from './fault.js';

/**
 * Injects into all targets at once. When one fails, those that worked are healed again and the first failure is thrown.
 * The whole counts as injected with its first part, and as healed with its last.
 */
export async function injectIntoEach<T>(
  context: FaultContext,
  targets: readonly T[],
  injectInto: (target: T) => Promise<ActiveFault>,
): Promise<ActiveFault> {
  const results = await Promise.allSettled(targets.map(injectInto));
  const parts = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    await healEach(parts).catch((error) => context.note(`fault ${context.faultId}: undoing a failed injection: ${messageOf(error)}`));
    throw failure.reason;
  }
  const endsByItself = parts.some((part) => part.done !== undefined);
  return {
    injectedAtUs: Math.min(...parts.map((part) => part.injectedAtUs)),
    ...(endsByItself ? { done: settleAll(parts.map((part) => part.done ?? Promise.resolve())) } : {}),
    heal: () => healEach(parts),
    async isHealed() {
      const healed = await Promise.all(parts.map((part) => part.isHealed()));
      return healed.every(Boolean);
    },
  };
}

function healEach(parts: readonly ActiveFault[]): Promise<void> {
  return settleAll(parts.map((part) => part.heal()));
}

/** Waits for all, then throws the first failure: none is cut short because another failed. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}
