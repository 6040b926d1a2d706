/**
 * One connection of the wire client: commands go out in one write per flush from a reused buffer, replies come in through a parser that
 * allocates nothing, and what is in flight stands in typed arrays in the order it was sent. Owned by WireNode; sends nothing twice.
 */
import type { Socket } from 'node:net';
import { monotonicUs } from '../../base/clock.js';
import type { OperationIndex } from '../../plan/plan.js';
import { STAMP_BYTES } from '../../workload/valueStamp.js';
import type { ReplyWatch } from '../client.js';
import type { CloseReason, ConnectionOptions, ConnectionOwner, PendingOperation, WriteConfirmation } from './connectionSeam.js';
import { closeReasonOf, command, openTcp, openTls } from './openSocket.js';
import { ReplyKind, ReplyParser, type ReplySink } from './replyParser.js';

/** From the first byte out to a finished handshake. */
const CONNECT_LIMIT_MS = 2_000;
const OUT_BYTES = 65_536;
const READ_BYTES = 65_536;
const RING_START = 64;

/** Token of a command that is the connection's own (AUTH, HELLO …), not the engine's. */
const CONTROL = -1;
/** Token of an ASKING, whose reply is of no interest. */
const ASKING = -2;
/** Token of the confirmation of a write whose reply has not come, or was an error. */
const CONFIRM = -3;
/** And, once the write went well, of the confirmation that its operation waits for: the operation's token, counted down from here. */
const CONFIRMS = -4;

/** One read buffer for all connections of a thread: a read is worked off before the next one begins. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

export class WireConnection implements ReplySink {
  /** Index of its node in the owner's list. */
  readonly node: number;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #parser: ReplyParser;
  readonly #confirm: WriteConfirmation | null;
  #socket: Socket | null = null;
  #state: 'connecting' | 'handshake' | 'ready' | 'closed' = 'connecting';
  #limit: NodeJS.Timeout | null = null;
  #closeReason: { kind: CloseReason; text: string } | null = null;

  #out = Buffer.allocUnsafeSlow(OUT_BYTES);
  #outView = new DataView(this.#out.buffer);
  /** Start and end of what has been encoded but not written. */
  #outFrom = 0;
  #outTo = 0;

  #tokens = new Float64Array(RING_START);
  #ops = new Uint8Array(RING_START);
  #keys = new Float64Array(RING_START);
  #values = new Uint32Array(RING_START);
  #versions = new Int32Array(RING_START);
  #attempts = new Uint8Array(RING_START);
  /** Of what has been written. */
  #sent = new Float64Array(RING_START);
  #mask = RING_START - 1;
  #head = 0;
  #tail = 0;
  /** First entry that has not been written. */
  #unsent = 0;
  #readUs = 0;
  /** Operations of the engine's that have no answer yet; for others to read. */
  inFlight = 0;
  readonly #scratch: PendingOperation = { token: 0, op: 0, keyIndex: 0, valueBytes: 0, version: -1, attempts: 0, sentUs: -1 };

  /** Bookkeeping of the owner's: how many operations it may take before others, whether it stands among the free, and whether it waits for a flush. */
  room = 0;
  isFree = false;
  dirty = false;

  constructor(node: number, options: ConnectionOptions, owner: ConnectionOwner) {
    this.node = node;
    this.#options = options;
    this.#owner = owner;
    this.#confirm = options.confirm;
    this.#parser = new ReplyParser(this, options.replies === null ? null : new Uint8Array(STAMP_BYTES));
  }

  get isReplacement(): boolean {
    return this.#options.isReplacement;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  open(): void {
    const { host, port, tls } = this.#options;
    const socket = tls === null ? openTcp(host, port, readBuffer, (n) => this.#read(readBuffer, n)) : openTls(host, port, tls);
    this.#socket = socket;
    this.#limit = setTimeout(() => this.#end('unreachable', `no answer within ${CONNECT_LIMIT_MS} ms`), CONNECT_LIMIT_MS);
    if (tls !== null) socket.on('data', (chunk: Buffer) => this.#read(chunk, chunk.length));
    socket.once(tls === null ? 'connect' : 'secureConnect', () => this.#greet());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#closeReason ??= { kind: closeReasonOf(error.code), text: error.code ?? error.message };
    });
    socket.once('close', () => this.#closed());
  }

  /** Ends the connection; what is in flight is lost. */
  close(): void {
    this.#end('closed', 'closed by kvbench');
  }

  /** HOT: takes one operation; it goes out with the next flush. */
  push(token: number, op: OperationIndex, keyIndex: number, valueBytes: number, version: number, attempts: number): void {
    this.#makeRoom(this.#options.encoder.maxCommandBytes(op, valueBytes));
    this.#outTo = this.#options.encoder.encode(this.#out, this.#outView, this.#outTo, op, keyIndex, valueBytes, version);
    this.#enqueue(token, op, keyIndex, valueBytes, version, attempts);
    this.inFlight++;
    if (this.#confirm !== null && this.#confirm.reads[op] === 0) this.#pushConfirm(this.#confirm.command);
  }

  /** HOT */
  #pushConfirm(command: Uint8Array): void {
    this.#makeRoom(command.length);
    this.#out.set(command, this.#outTo);
    this.#outTo += command.length;
    this.#enqueue(CONFIRM, 0, 0, 0, 0, 0);
  }

  /** Before an operation that a node is importing. */
  pushAsking(): void {
    this.#pushText('*1\r\n$6\r\nASKING\r\n', ASKING);
  }

  /** HOT: one write for everything encoded since the last. */
  flush(): void {
    if (this.#outFrom === this.#outTo || this.#socket === null) return;
    const nowUs = monotonicUs();
    for (let i = this.#unsent; i < this.#tail; i++) this.#sent[i & this.#mask] = nowUs;
    this.#unsent = this.#tail;
    const chunk = this.#out.subarray(this.#outFrom, this.#outTo);
    this.#outFrom = this.#outTo;
    this.#socket.write(chunk);
    // The kernel took it all: nobody holds on to the buffer, and it can be filled from its start again.
    if (this.#socket.writableLength === 0) {
      this.#outFrom = 0;
      this.#outTo = 0;
    }
  }

  reply(kind: ReplyKind, integer: number): void {
    if (this.#head === this.#unsent) return this.malformed('a reply to nothing that was sent');
    const slot = this.#head & this.#mask;
    const token = this.#tokens[slot] as number;
    this.#head++;
    if (token >= 0) {
      if (this.#confirm !== null && kind !== ReplyKind.error && this.#confirm.reads[this.#ops[slot] as number] === 0) {
        if (this.#options.replies !== null) this.#tellReply(this.#options.replies, token, kind, integer);
        return this.#holdForConfirm(slot, token);
      }
      this.inFlight--;
      if (kind === ReplyKind.error) return this.#owner.errorReply(this, this.#operation(slot, true), this.#parser.errorText, this.#readUs);
      if (this.#options.replies !== null) this.#tellReply(this.#options.replies, token, kind, integer);
      return this.#owner.succeeded(token, this.#sent[slot] as number, this.#readUs, this.#attempts[slot] as number);
    }
    if (token === CONTROL) this.#greeted(kind);
    else if (token <= CONFIRMS && this.#confirm !== null) this.#confirmed(this.#confirm, slot, kind, integer);
  }

  /** HOT: the write went well; its operation ends with the confirmation, which is next. */
  #holdForConfirm(slot: number, token: number): void {
    const next = this.#head & this.#mask;
    this.#tokens[next] = CONFIRMS - token;
    this.#ops[next] = this.#ops[slot] as number;
    this.#keys[next] = this.#keys[slot] as number;
    this.#values[next] = this.#values[slot] as number;
    this.#versions[next] = this.#versions[slot] as number;
    this.#attempts[next] = this.#attempts[slot] as number;
    this.#sent[next] = this.#sent[slot] as number;
  }

  /** HOT: an error (a replica by now, say) confirms nothing. */
  #confirmed(confirm: WriteConfirmation, slot: number, kind: ReplyKind, integer: number): void {
    const { integers } = this.#parser;
    const enough =
      kind === ReplyKind.integer
        ? integer >= confirm.replicas
        : kind === ReplyKind.ok && (integers[0] as number) >= confirm.local && (integers[1] as number) >= confirm.replicas;
    this.inFlight--;
    this.#owner.confirmed(!enough);
    this.#owner.succeeded(CONFIRMS - (this.#tokens[slot] as number), this.#sent[slot] as number, this.#readUs, this.#attempts[slot] as number);
  }

  /** HOT */
  #tellReply(replies: ReplyWatch, token: number, kind: ReplyKind, integer: number): void {
    if (kind === ReplyKind.bulk) replies.bytes(token, integer, this.#parser.head as Uint8Array);
    else if (kind === ReplyKind.integer) replies.integer(token, integer);
    else if (kind === ReplyKind.nil) replies.none(token);
  }

  malformed(what: string): void {
    this.#end('protocol', what);
  }

  #read(bytes: Uint8Array, length: number): boolean {
    this.#readUs = monotonicUs();
    this.#owner.readBegun(this);
    this.#parser.feed(bytes, length);
    this.#owner.readDone(this);
    return true;
  }

  #greet(): void {
    this.#state = 'handshake';
    const { username, password, protocol, readOnly, name } = this.#options;
    if (protocol === 3) this.#pushText(command('HELLO', '3', ...(password === null ? [] : ['AUTH', username ?? 'default', password])), CONTROL);
    else if (password !== null) this.#pushText(username === null ? command('AUTH', password) : command('AUTH', username, password), CONTROL);
    if (readOnly) this.#pushText(command('READONLY'), CONTROL);
    this.#pushText(command('CLIENT', 'SETNAME', name), CONTROL);
    this.flush();
  }

  /** A reply of the handshake; the last one makes the connection ready. */
  #greeted(kind: ReplyKind): void {
    if (kind === ReplyKind.error) return this.#end('closed', this.#parser.errorText);
    if (this.#state !== 'handshake' || this.#head !== this.#tail) return;
    this.#clearLimit();
    this.#state = 'ready';
    this.#owner.ready(this);
  }

  #pushText(text: string, token: number): void {
    this.#makeRoom(Buffer.byteLength(text));
    this.#outTo += this.#out.write(text, this.#outTo, 'utf8');
    this.#enqueue(token, 0, 0, 0, 0, 0);
  }

  #enqueue(token: number, op: number, keyIndex: number, valueBytes: number, version: number, attempts: number): void {
    if (this.#tail - this.#head > this.#mask) this.#growRing();
    const slot = this.#tail & this.#mask;
    this.#tokens[slot] = token;
    this.#ops[slot] = op;
    this.#keys[slot] = keyIndex;
    this.#values[slot] = valueBytes;
    this.#versions[slot] = version;
    this.#attempts[slot] = attempts;
    this.#tail++;
  }

  #makeRoom(bytes: number): void {
    if (this.#outTo + bytes <= this.#out.length) return;
    // The old buffer may still be with the kernel: leave it to it, and take what is not written along.
    const rest = this.#out.subarray(this.#outFrom, this.#outTo);
    const larger = Buffer.allocUnsafeSlow(Math.max(OUT_BYTES, 2 ** Math.ceil(Math.log2(rest.length + bytes))));
    larger.set(rest);
    this.#out = larger;
    this.#outView = new DataView(larger.buffer);
    this.#outFrom = 0;
    this.#outTo = rest.length;
  }

  #growRing(): void {
    const length = (this.#mask + 1) * 2;
    const mask = length - 1;
    const moved = <T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(from: T, to: T): T => {
      for (let i = this.#head; i < this.#tail; i++) to[i & mask] = from[i & this.#mask] as number;
      return to;
    };
    this.#tokens = moved(this.#tokens, new Float64Array(length));
    this.#ops = moved(this.#ops, new Uint8Array(length));
    this.#keys = moved(this.#keys, new Float64Array(length));
    this.#values = moved(this.#values, new Uint32Array(length));
    this.#versions = moved(this.#versions, new Int32Array(length));
    this.#attempts = moved(this.#attempts, new Uint8Array(length));
    this.#sent = moved(this.#sent, new Float64Array(length));
    this.#mask = mask;
  }

  #operation(slot: number, isSent: boolean): PendingOperation {
    const operation = this.#scratch;
    operation.token = this.#tokens[slot] as number;
    operation.op = this.#ops[slot] as OperationIndex;
    operation.keyIndex = this.#keys[slot] as number;
    operation.valueBytes = this.#values[slot] as number;
    operation.version = this.#versions[slot] as number;
    operation.attempts = this.#attempts[slot] as number;
    operation.sentUs = isSent ? (this.#sent[slot] as number) : -1;
    return operation;
  }

  #end(kind: CloseReason, text: string): void {
    if (this.#state === 'closed') return;
    this.#closeReason ??= { kind, text };
    this.#socket?.destroy();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#clearLimit();
    const reason = this.#closeReason ?? { kind: 'closed' as const, text: 'closed by the server' };
    const nowUs = monotonicUs();
    for (; this.#head < this.#tail; this.#head++) {
      const slot = this.#head & this.#mask;
      const token = this.#tokens[slot] as number;
      if (token <= CONFIRMS) this.#tokens[slot] = CONFIRMS - token;
      if ((this.#tokens[slot] as number) >= 0) this.#owner.lost(this.#operation(slot, this.#head < this.#unsent), reason.kind, nowUs);
    }
    this.#owner.closed(this, reason.kind, reason.text, wasReady);
  }

  #clearLimit(): void {
    if (this.#limit) clearTimeout(this.#limit);
    this.#limit = null;
  }
}
