/** Random numbers from 0 to 1 by a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const below = (random: Random, most: number): number => Math.floor(random() * most);
const oneOf = <T>(random: Random, list: readonly [T, ...T[]]): T =>
  list[below(random, list.length)] ?? list[0];

/** What means something to YAML, JSON, CSV, templates or JavaScript. */
const tokens = [
  ...[
    '&a ',
    '*a',
    '<<: ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '\t',
    '\r',
    ': ',
    '- ',
    '? ',
    '---\n',
    '...\n',
    '|\n',
    '>\n',
  ],
  ...['!!js/function ', '!tag ', '%YAML 1.1\n', '# ', '${params.', '}', '$${', '{{', '}}', '{% if %}', ','],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    '~',
    'true',
    '1e999',
    '-0',
    '0x7f',
    '.nan',
    '9007199254740993',
  ],
  ...[
    '../../../etc/passwd',
    'C:\\x',
    '\\\\host\\share',
    '/dev/zero',
    'hf:',
    'https://',
    'file:///',
    './',
    '.yaml',
  ],
  ...[
    '\0',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\u202e',
    '\u001b[2J',
    '日本',
    'extends: ',
    'stages:\n',
    'uses: ',
    'sweep: ',
  ],
] as const;

/** Lines are what a user moves about by mistake. */
const ofLines: readonly ((lines: string[], random: Random) => void)[] = [
  (lines, random) => void lines.splice(below(random, lines.length), 1 + below(random, 3)),
  (lines, random) =>
    void lines.splice(below(random, lines.length), 0, lines[below(random, lines.length)] ?? ''),
  (lines, random) => {
    const at = below(random, lines.length);
    lines[at] = `${' '.repeat(below(random, 5))}${lines[at]?.trimStart()}`;
  },
  (lines, random) => {
    const [one, other] = [below(random, lines.length), below(random, lines.length)];
    [lines[one], lines[other]] = [lines[other] ?? '', lines[one] ?? ''];
  },
  (lines, random) => {
    const [from, to] = [below(random, lines.length), below(random, lines.length)];
    lines.splice(to, 0, ...lines.slice(from, from + 8).map((line) => `  ${line}`));
  },
];

/** A word of the text becomes another word of it, or a token. */
function swapWord(text: string, random: Random): string {
  const words = [...text.matchAll(/[\w.${}-]+/g)];
  const [one, other] = [words[below(random, words.length)], words[below(random, words.length)]];
  if (one === undefined || other === undefined) return text;
  const word = random() < 0.5 ? other[0] : oneOf(random, tokens);
  return `${text.slice(0, one.index)}${word}${text.slice(one.index + one[0].length)}`;
}

function changeLines(text: string, random: Random): string {
  const lines = text.split('\n');
  ofLines[below(random, ofLines.length)]?.(lines, random);
  return lines.join('\n');
}

function insertToken(text: string, random: Random): string {
  const at = below(random, text.length + 1);
  const token = oneOf(random, tokens).repeat(random() < 0.05 ? 3_000 : 1);
  return `${text.slice(0, at)}${token}${text.slice(random() < 0.5 ? at : at + below(random, 9))}`;
}

function changeBytes(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text);
  for (let times = 1 + below(random, 4); times > 0 && bytes.length > 0; times -= 1)
    bytes[below(random, bytes.length)] = below(random, 256);
  return random() < 0.2 ? bytes.subarray(0, below(random, bytes.length + 1)) : bytes;
}

/** The text after one to four mistakes; one time in four, some bytes are changed too. */
export function mutated(text: string, random: Random): string | Uint8Array {
  let result = text;
  for (let times = 1 + below(random, 4); times > 0; times -= 1)
    result = oneOf(random, [swapWord, changeLines, insertToken])(result, random);
  return random() < 0.25 ? changeBytes(result, random) : result;
}
