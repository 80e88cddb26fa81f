import { mergePairs, type PairRanks } from './byte-pair-merge.ts';
import { byteText, type EncodingName, endOfTextToken, readEncoding } from './encodings.ts';
import { joinTexts, noSpecialToken, type Tokenizer } from './tokenizer.ts';

/** The tokenizer of one of OpenAI's encodings, such as r50k_base, which is GPT-2's. It gives the ids of tiktoken. */
export async function openEncoding(name: EncodingName): Promise<Tokenizer> {
  const { tokens, specialTokens, words } = await readEncoding(name);
  const encode = textEncoder({ tokens, words });
  const texts: (string | undefined)[] = [...tokens];
  for (const [special, id] of specialTokens) texts[id] = byteText(special);
  return {
    vocabulary: name,
    vocabularySize: texts.length,
    endOfText: specialTokens.get(endOfTextToken) ?? 0,
    // One token ends a text and begins the next, and OpenAI's libraries put none before a text.
    startOfText: undefined,
    addsStart: false,
    specialTokens,
    encode: (given) => {
      const ids: number[] = [];
      for (const { text, special } of joinTexts(given, specialTokens)) {
        const id = special ? specialTokens.get(text) : undefined;
        if (id !== undefined) ids.push(id);
        else if (special) throw noSpecialToken(text, name);
        else encode(text, ids);
      }
      return Int32Array.from(ids);
    },
    // A model may have more rows than its vocabulary has tokens; the extra ids have no text.
    decode: (ids) => Buffer.from(Array.from(ids, (id) => texts[id] ?? '').join(''), 'latin1').toString(),
    bytesOf: (id) => Buffer.from(texts[id] ?? '', 'latin1'),
  };
}

/** Most words of a text recur, and most are shorter than this. */
const longestCached = 32;
const largestCache = 50_000;

/** A function that appends a text's token ids to a list. Nothing in the text is special. */
function textEncoder({
  tokens,
  words,
}: {
  readonly tokens: readonly (string | undefined)[];
  readonly words: string;
}): (text: string, ids: number[]) => void {
  // JavaScript's own `\s` has U+FEFF and lacks U+0085.
  const split = new RegExp(
    words.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'),
    'gu',
  );
  const idOf = new Map(tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])));
  const bytes = Array.from({ length: 256 }, (_, byte) => idOf.get(String.fromCharCode(byte)) ?? 0);
  const pairs: PairRanks = {
    rankOf: (left, right) => idOf.get(`${tokens[left]}${tokens[right]}`),
    joined: (rank) => rank,
  };
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const whole = idOf.get(byteText(word));
    const ids =
      whole === undefined
        ? mergePairs(
            Array.from(Buffer.from(word, 'utf8'), (byte) => bytes[byte] ?? 0),
            pairs,
          )
        : [whole];
    if (word.length > longestCached) return ids;
    if (cache.size >= largestCache) cache.clear();
    cache.set(word, ids);
    return ids;
  };
  return (text, ids) => {
    for (const [word] of text.matchAll(split)) for (const id of encodeWord(word)) ids.push(id);
  };
}
