/** A token of JSON, or what only begins like one. */
const TOKEN =
  /[[\]{}:,]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

const CUT_OFF = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*(?:\\(?:u[\da-fA-F]{0,3})?)?$/y;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/**
 * Where a text stops being JSON: offset of the first token that cannot stand there, the text's end when it ends too early.
 *
 * `JSON.parse` tells the position in some messages and not in others, which differ between versions of Node.
 *
 * @returns null for JSON
 */
export function jsonErrorAt(text: string): number | null {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  for (let at = skip(text, 0); ; at = skip(text, at)) {
    if (at >= text.length) return expected === ', or end' && open.length === 0 ? null : at;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return isCutOff(text, at) ? text.length : at;
    const next = after(token, expected, open);
    if (next === null) return at;
    expected = next;
    at += token.length;
  }
}

/** A string that begins there and has no end; one that a line ends is wrong where it begins. */
function isCutOff(text: string, at: number): boolean {
  CUT_OFF.lastIndex = at;
  return CUT_OFF.test(text);
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

/** @param open - brackets around the token; changed */
function after(token: string, expected: Expected, open: ('[' | '{')[]): Expected | null {
  switch (token) {
    case '[':
    case '{':
      if (expected !== 'value' && expected !== 'value or ]') return null;
      open.push(token);
      return token === '[' ? 'value or ]' : 'key or }';
    case ']':
    case '}': {
      const isEmpty = expected === (token === ']' ? 'value or ]' : 'key or }');
      if (!isEmpty && expected !== ', or end') return null;
      return open.pop() === (token === ']' ? '[' : '{') ? ', or end' : null;
    }
    case ':':
      return expected === ':' ? 'value' : null;
    case ',':
      if (expected !== ', or end' || open.length === 0) return null;
      return open.at(-1) === '[' ? 'value' : 'key';
    default:
      if (expected === 'value' || expected === 'value or ]') return ', or end';
      return token.startsWith('"') && (expected === 'key' || expected === 'key or }') ? ':' : null;
  }
}
