/**
 * The operations of a workload: the built-in ones, and its custom commands behind them. An operation's index is what the load carries, its
 * name what records, thresholds and reports say. Used wherever a plan is at hand; pure.
 */
import { type AccessKind, type CommandPlan, type OperationName, operationNames, type Plan, type WorkloadPlan } from './plan.js';

/** Names by operation index. */
export function operationNamesOf({ commands }: Pick<WorkloadPlan, 'commands'>): OperationName[] {
  return [...operationNames, ...(commands ?? []).map((command) => command.name)];
}

/** Names of all operations of a run. */
export function operationsOfPlan(plan: Plan): OperationName[] {
  return operationNamesOf(plan.load.workload);
}

/** Weights of what is sent, by operation index. */
export function weightsOf({ operations, commands }: Pick<WorkloadPlan, 'operations' | 'commands'>): number[] {
  return [...operationNames.map((name) => operations[name]), ...(commands ?? []).map((command) => command.weight)];
}

/** What an operation does to its key, by its name. */
export function accessOf({ commands }: Pick<WorkloadPlan, 'commands'>, op: OperationName): AccessKind {
  if (op === 'get') return 'read';
  return commands?.find((command) => command.name === op)?.kind ?? 'write';
}

/** Names of operations in the order of tables: the built-in ones, then custom commands by name. `all`, a sum, is left out. */
export function inOrder(names: readonly OperationName[]): OperationName[] {
  const builtIn: readonly string[] = operationNames;
  const custom = names.filter((name) => name !== 'all' && !builtIn.includes(name));
  return [...operationNames.filter((name) => names.includes(name)), ...custom.sort()];
}

/** Whether it is sent to the node of a key. */
export function hasKey(command: CommandPlan): boolean {
  return command.args.some((arg) => arg.kind === 'key');
}

/** Whether it carries a value. */
export function hasValue(command: CommandPlan): boolean {
  return command.args.some((arg) => arg.kind === 'value');
}

/** What the per-operation path has to know of each operation, by index; 1: yes. */
export interface OperationTraits {
  /** Goes to any worker, and beside writes of the same key. */
  reads: Uint8Array;
  /** One at a time per key. */
  locks: Uint8Array;
  /** Has a value of the workload's sizes. */
  values: Uint8Array;
}

/** Operation indices are below this. */
export const MAX_OPERATIONS = 256;

export function traitsOf({ commands = [] }: Pick<WorkloadPlan, 'commands'>): OperationTraits {
  const reads = new Uint8Array(MAX_OPERATIONS);
  const locks = new Uint8Array(MAX_OPERATIONS).fill(1);
  const values = new Uint8Array(MAX_OPERATIONS);
  const [get, set] = [operationNames.indexOf('get'), operationNames.indexOf('set')];
  reads[get] = 1;
  locks[get] = 0;
  values[set] = 1;
  for (const [at, command] of commands.entries()) {
    const op = operationNames.length + at;
    reads[op] = command.kind === 'read' ? 1 : 0;
    locks[op] = command.kind === 'write' && hasKey(command) ? 1 : 0;
    values[op] = hasValue(command) ? 1 : 0;
  }
  return { reads, locks, values };
}
