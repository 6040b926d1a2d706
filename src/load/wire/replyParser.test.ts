import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../base/random.js';
import { ReplyKind, ReplyParser } from './replyParser.js';

interface Heard {
  replies: [ReplyKind, number, string][];
  malformed: string[];
}

/** Feeds the bytes in pieces of the given sizes (the last one repeats). */
function hear(bytes: Uint8Array, pieces: readonly number[] = [bytes.length]): Heard {
  const heard: Heard = { replies: [], malformed: [] };
  const parser = new ReplyParser({
    reply: (kind, integer) => heard.replies.push([kind, integer, kind === ReplyKind.error ? parser.errorText : '']),
    malformed: (what) => heard.malformed.push(what),
  });
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, pieces[Math.min(i, pieces.length - 1)] ?? 1);
    const piece = bytes.slice(at, at + size);
    parser.feed(piece, piece.length);
    at += size;
  }
  return heard;
}

const samples: [text: string, replies: Heard['replies']][] = [
  ['+OK\r\n', [[ReplyKind.ok, 0, '']]],
  ['$5\r\nhe\r\no\r\n', [[ReplyKind.bulk, 5, '']]],
  ['$0\r\n\r\n', [[ReplyKind.bulk, 0, '']]],
  ['$-1\r\n', [[ReplyKind.nil, 0, '']]],
  ['_\r\n', [[ReplyKind.nil, 0, '']]],
  [
    ':1234567890123\r\n:-7\r\n',
    [
      [ReplyKind.integer, 1234567890123, ''],
      [ReplyKind.integer, -7, ''],
    ],
  ],
  [
    '-MOVED 3999 127.0.0.1:6381\r\n+OK\r\n',
    [
      [ReplyKind.error, 0, 'MOVED 3999 127.0.0.1:6381'],
      [ReplyKind.ok, 0, ''],
    ],
  ],
  [
    '*2\r\n$1\r\na\r\n*1\r\n:1\r\n+OK\r\n',
    [
      [ReplyKind.ok, 0, ''],
      [ReplyKind.ok, 0, ''],
    ],
  ],
  [
    '*0\r\n*-1\r\n',
    [
      [ReplyKind.ok, 0, ''],
      [ReplyKind.nil, 0, ''],
    ],
  ],
  [
    '%1\r\n+a\r\n:1\r\n#t\r\n,1.5\r\n',
    [
      [ReplyKind.ok, 0, ''],
      [ReplyKind.ok, 0, ''],
      [ReplyKind.ok, 0, ''],
    ],
  ],
  // A push answers nothing.
  ['>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n', [[ReplyKind.bulk, 1, '']]],
];

test('every reply is heard the same, however the stream is cut', () => {
  for (const [text, replies] of samples) {
    const bytes = new Uint8Array(Buffer.from(text));
    assert.deepEqual(hear(bytes), { replies, malformed: [] }, JSON.stringify(text));
    for (let size = 1; size < bytes.length; size++)
      assert.deepEqual(hear(bytes, [size]), { replies, malformed: [] }, `${JSON.stringify(text)} in pieces of ${size}`);
  }
});

test('what is not the protocol is told once, with what was wrong', () => {
  const cases: [string, RegExp][] = [
    ['hello\r\n', /unknown type/],
    ['+OK\n', /CR LF/],
    ['$abc\r\n', /bulk length/],
    ['$-2\r\n', /bulk length/],
    ['$99999999999\r\n', /bulk length/],
    ['$3\r\nabcde\r\n+OK\r\n', /where its length says/],
    [':12x\r\n', /no integer/],
    ['*99999999\r\n', /count/],
    [`${'*1\r\n'.repeat(20)}`, /nested/],
    [`+${'x'.repeat(70_000)}`, /64 KiB/],
    ['!3\r\nERR\r\n', /bulk error/],
  ];
  for (const [text, expected] of cases) {
    for (const pieces of [[text.length], [1], [7]]) {
      const { malformed } = hear(new Uint8Array(Buffer.from(text)), pieces);
      assert.equal(malformed.length, 1, `${JSON.stringify(text.slice(0, 40))}: ${malformed.join()}`);
      assert.match(malformed[0] ?? '', expected);
    }
  }
});

test('10,000 mutated replies: no crash, no hang, and each is heard or told', () => {
  const seed = 20261121;
  const random = new RandomStream(seed, 1000);
  let draw = 0;
  const below = (bound: number): number => random.below(draw++, bound);
  let told = 0;
  for (let round = 0; round < 10_000; round++) {
    const text = Array.from({ length: 1 + below(4) }, () => samples[below(samples.length)]?.[0]).join('');
    const bytes = [...Buffer.from(text)];
    for (let mutations = 1 + below(3); mutations > 0; mutations--) mutate(bytes);
    const heard = hear(new Uint8Array(bytes), [1 + below(9), 1 + below(bytes.length + 1)]);
    assert.ok(heard.malformed.length <= 1, `seed ${seed}, round ${round}: told twice`);
    assert.ok(heard.replies.length <= bytes.length / 2, `seed ${seed}, round ${round}: more replies than bytes allow`);
    told += heard.malformed.length;
  }
  assert.ok(told > 1000, `only ${told} were found malformed`);

  function mutate(bytes: number[]): void {
    const at = below(bytes.length);
    switch (below(4)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes.splice(at, 1 + below(3));
        break;
      case 2:
        bytes.splice(at, 0, below(256), 48 + below(10));
        break;
      default:
        bytes.length = Math.max(1, at);
    }
  }
});

test('the first bytes of a value are kept for whoever wants them, however the stream is cut', () => {
  const text = '$5\r\nhello\r\n+OK\r\n$30\r\nabcdefghijklmnopqrstuvwxyz0123\r\n$-1\r\n';
  for (let cut = 1; cut < text.length; cut++) {
    const head = new Uint8Array(24);
    const heads: string[] = [];
    const sink = {
      reply: (kind: ReplyKind, length: number) => {
        if (kind === ReplyKind.bulk) heads.push(Buffer.from(head.subarray(0, Math.min(24, length))).toString());
      },
      malformed: (what: string) => assert.fail(what),
    };
    const parser = new ReplyParser(sink, head);
    for (const part of [text.slice(0, cut), text.slice(cut)]) parser.feed(Buffer.from(part), part.length);
    assert.deepEqual(heads, ['hello', 'abcdefghijklmnopqrstuvwx'], `cut at ${cut}`);
  }
});
