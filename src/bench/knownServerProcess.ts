/**
 * The process of the known server: answers each operation at its due time, to within microseconds, and keeps count of what it really did.
 * Started by knownServer.ts with the behaviour as JSON; ends with its parent. It sleeps between due times: a server that spins takes a core,
 * and on a small machine what waits for that core then is measured as the generator's error.
 */
import { createServer, type Socket } from 'node:net';
import { monotonicUs } from '../base/clock.js';
import { HDR_INDEX_COUNT, hdrIndexOf } from '../base/hdrIndex.js';
import { sparseFromCounts } from '../result/sparseHistogram.js';
import { Alarm } from './alarm.js';
import { type Behaviour, DueTimes } from './knownAnswer.js';
import type { KnownMessage, KnownRequest } from './knownMessages.js';
import { CommandReader, replyTo } from './knownReplies.js';

interface Pending {
  bytes: string;
  isOperation: boolean;
  arrivedUs: number;
  dueUs: number;
}

const dueTimes = new DueTimes(JSON.parse(process.argv[2] ?? '{}') as Behaviour);
const delivered = new Uint32Array(HDR_INDEX_COUNT);
const lateness = new Uint32Array(HDR_INDEX_COUNT);
let operations = 0;

/** With answers to give, in the order of the questions. */
const waiting = new Map<Socket, Pending[]>();
const alarm = new Alarm(answerDue);

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new CommandReader();
  socket.on('error', () => {});
  socket.on('close', () => waiting.delete(socket));
  socket.on('data', (data) => take(socket, reader, data.toString('latin1')));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') tell({ kind: 'listening', port: address.port });
});

process.on('message', (request: KnownRequest) => {
  if (request.kind === 'reset') {
    delivered.fill(0);
    lateness.fill(0);
    operations = 0;
    tell({ kind: 'reset' });
  } else {
    tell({ kind: 'stats', operations, delivered: sparseFromCounts(delivered), lateness: sparseFromCounts(lateness) });
  }
});
process.on('disconnect', () => process.exit(0));
// A Ctrl-C in the terminal reaches us too; the parent still has to end its load, and then ends us.
process.on('SIGINT', () => {});

function take(socket: Socket, reader: CommandReader, piece: string): void {
  const arrivedUs = monotonicUs();
  let commands: string[][];
  try {
    commands = reader.push(piece);
  } catch (error) {
    socket.end(`-ERR Protocol error: ${error instanceof Error ? error.message : error}\r\n`);
    return;
  }
  if (commands.length === 0) return;
  let queue = waiting.get(socket);
  let bytes = '';
  for (const words of commands) {
    const reply = replyTo(words);
    const pending = { ...reply, arrivedUs, dueUs: reply.isOperation ? dueTimes.next(arrivedUs) : arrivedUs };
    if (queue === undefined && pending.dueUs <= arrivedUs) {
      bytes += pending.bytes;
      if (pending.isOperation) note(pending, monotonicUs());
      continue;
    }
    if (queue === undefined) {
      queue = [];
      waiting.set(socket, queue);
    }
    queue.push(pending);
  }
  if (bytes !== '') socket.write(bytes, 'latin1');
  if (queue !== undefined) answerDue();
}

/** Writes what is due, and arms the deadline for what is due next. */
function answerDue(): void {
  let nextUs = Number.POSITIVE_INFINITY;
  for (const [socket, queue] of waiting) {
    const nowUs = monotonicUs();
    let count = 0;
    let bytes = '';
    for (let pending = queue[0]; pending !== undefined && pending.dueUs <= nowUs; pending = queue[++count]) {
      bytes += pending.bytes;
      if (pending.isOperation) note(pending, nowUs);
    }
    if (count > 0) socket.write(bytes, 'latin1');
    queue.splice(0, count);
    const first = queue[0];
    if (first === undefined) waiting.delete(socket);
    else nextUs = Math.min(nextUs, first.dueUs);
  }
  alarm.arm(nextUs);
}

function note({ arrivedUs, dueUs }: Pending, nowUs: number): void {
  const own = hdrIndexOf(nowUs - arrivedUs);
  const late = hdrIndexOf(nowUs - dueUs);
  delivered[own] = (delivered[own] as number) + 1;
  lateness[late] = (lateness[late] as number) + 1;
  operations++;
}

function tell(message: KnownMessage): void {
  process.send?.(message);
}
