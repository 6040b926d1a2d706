/**
 * The text of a custom command → its words, as redis-cli reads a line: blanks divide, `"…"` knows \n \r \t \b \a \xHH and \ before anything
 * else, `'…'` knows \' only, and a closing quote ends the word. Used by customCommand.ts; pure.
 */

/** Bytes as a character each (latin1): what is not ASCII stands as its UTF-8 bytes. */
export type Words = { words: string[] } | { problem: string };

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

export function wordsOf(text: string): Words {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(bytes[at])) at++;
    if (at >= bytes.length) return { words };
    const word = wordAt(bytes, at);
    if ('problem' in word) return word;
    words.push(word.word);
    at = word.end;
  }
}

function wordAt(bytes: string, start: number): { word: string; end: number } | { problem: string } {
  let word = '';
  let at = start;
  while (at < bytes.length && !isBlank(bytes[at])) {
    const quote = bytes[at];
    if (quote !== '"' && quote !== "'") {
      word += quote;
      at++;
      continue;
    }
    const quoted = quote === '"' ? doubleQuoted(bytes, at + 1) : singleQuoted(bytes, at + 1);
    if (quoted === null)
      return { problem: `the quote ${quote} at character ${at + 1} is not closed; close it, or escape it inside double quotes: \\${quote}` };
    word += quoted.text;
    at = quoted.end;
    if (at < bytes.length && !isBlank(bytes[at]))
      return { problem: `a blank must follow the closing quote ${quote} at character ${at}; quote the whole argument` };
  }
  return { word, end: at };
}

/** Null: it never ends. `end` is behind the closing quote. */
function doubleQuoted(bytes: string, start: number): { text: string; end: number } | null {
  let text = '';
  for (let at = start; at < bytes.length; at++) {
    const char = bytes[at] as string;
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\' || at + 1 === bytes.length) {
      text += char;
      continue;
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(bytes.slice(at + 1, at + 4));
    const next = bytes[at + 1] as string;
    text += hex ? String.fromCharCode(Number.parseInt(hex[1] as string, 16)) : (escapes[next] ?? next);
    at += hex ? 3 : 1;
  }
  return null;
}

function singleQuoted(bytes: string, start: number): { text: string; end: number } | null {
  let text = '';
  for (let at = start; at < bytes.length; at++) {
    const char = bytes[at] as string;
    if (char === "'") return { text, end: at + 1 };
    if (char === '\\' && bytes[at + 1] === "'") at++;
    text += bytes[at] as string;
  }
  return null;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
