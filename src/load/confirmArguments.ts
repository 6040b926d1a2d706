/** The arguments of WAIT and WAITAOF, as both clients send them. Pure. */
import type { ConfirmPlan } from '../plan/plan.js';

/** What follows the command's name. */
export function confirmArguments({ command, local, replicas, timeoutMs }: ConfirmPlan): number[] {
  return command === 'wait' ? [replicas, timeoutMs] : [local, replicas, timeoutMs];
}
