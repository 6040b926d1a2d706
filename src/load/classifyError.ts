/** What an error of ioredis means for the operation: whether it may have happened, and why it did not end ok. Used by ioredisClient.ts. */
import type { Reason } from '../result/records.js';
import { OutcomeIndex } from './client.js';
import type { OperationCommand } from './operationCommand.js';
import { reasonIndex } from './reasonIndex.js';

/** How ioredis says that a connection was lost or never there; the connection's own reason says more. */
const connectionTexts = [
  'Connection is closed.',
  "Stream isn't writeable",
  "Cluster isn't ready",
  'Cluster is ended.',
  'None of startup nodes is available',
  'Reached the max retries per request limit',
  'Command aborted due to connection close',
];

/**
 * @param lastReason why a connection of the client last failed, for operations that no connection took
 * @returns fail: it did not happen; info: nobody knows
 */
export function classifyError(error: Error, command: OperationCommand, lastReason: Reason): { outcome: OutcomeIndex; reason: number } {
  command.attemptFailed(error);
  const outcome = command.isInDoubt ? OutcomeIndex.info : OutcomeIndex.fail;
  return { outcome, reason: reasonIndex[reasonOf(error, command, lastReason)] };
}

function reasonOf(error: Error, command: OperationCommand, lastReason: Reason): Reason {
  if (error.name === 'ReplyError') return reasonOfReply(error.message);
  if (error.message.startsWith('Too many Cluster redirections')) return 'too-many-redirections';
  if (error.name === 'ParserError' || error.message.startsWith('Protocol error')) return 'protocol';
  const isConnection = connectionTexts.some((text) => error.message.startsWith(text));
  const reason = command.connection?.lastReason ?? lastReason;
  if (!isConnection && !('code' in error)) return 'other';
  if (command.isInDoubt) return reason === 'reset' || reason === 'protocol' ? reason : 'closed';
  return reason === 'unreachable' ? 'unreachable' : 'refused';
}

/** The first word of an error reply, when it is one that is counted apart. */
export function reasonOfReply(message: string): Reason {
  const end = message.indexOf(' ');
  const word = end < 0 ? message : message.slice(0, end);
  return word.toUpperCase() === word && word in reasonIndex ? (word as Reason) : 'other';
}
