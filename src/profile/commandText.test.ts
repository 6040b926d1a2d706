import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wordsOf } from './commandText.js';

const cases: [text: string, words: string[]][] = [
  ['', []],
  ['  PING  ', ['PING']],
  ['SET __key__\t"a b"\n\'c d\'', ['SET', '__key__', 'a b', 'c d']],
  [String.raw`ECHO "\n\r\t\b\a\x41\xff\"\\\q"`, ['ECHO', '\n\r\t\b\x07A\xff"\\q']],
  [String.raw`ECHO 'it\'s \n' "x\x4"`, ['ECHO', String.raw`it's \n`, 'xx4']],
  ['ECHO ü', ['ECHO', '\xc3\xbc']],
  ['ECHO "" \'\'', ['ECHO', '', '']],
  ['ECHO a"b c"', ['ECHO', 'ab c']],
];

test('a command is divided as redis-cli divides a line', () => {
  for (const [text, words] of cases) assert.deepEqual(wordsOf(text), { words }, text);
});

test('an open quote, and what sticks to a closing one, are told with their place', () => {
  for (const [text, problem] of [
    ['ECHO "a', /the quote " at character 6 is not closed/],
    ["ECHO 'a", /the quote ' at character 6 is not closed/],
    [String.raw`ECHO "a\"`, /not closed/],
    ['ECHO "a"b', /a blank must follow the closing quote " at character 8/],
    ['ECHO "a""b"', /a blank must follow/],
  ] as const) {
    const found = wordsOf(text);
    assert.match('problem' in found ? found.problem : 'none', problem, text);
  }
});

test('any bytes can be written, in double quotes', () => {
  const bytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array).toString('latin1'));
  const quoted = (word: string): string => `"${[...word].map((char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')}"`;
  fc.assert(fc.property(fc.array(bytes, { maxLength: 8 }), (words) => assert.deepEqual(wordsOf(words.map(quoted).join(' ')), { words })));
});

test('any text is either divided or told to be wrong, and words without quotes and blanks stay as they are', () => {
  const parts = fc.constantFrom('"', "'", '\\', ' ', 'x', '4', 'n', 'ü', '\n');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 20 }), (some) => {
      const found = wordsOf(some.join(''));
      assert.ok('words' in found || found.problem.length > 10);
    }),
  );
  const plain = fc.stringMatching(/^[!#-&(-[\]-~]+$/);
  fc.assert(fc.property(fc.array(plain, { maxLength: 8 }), (words) => assert.deepEqual(wordsOf(words.join(' ')), { words })));
});
