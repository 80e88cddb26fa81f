import { isList, type JsonObject } from '../../core/index.ts';
import { normalizerOf } from './normalizer.ts';
import { modelOf, vocabularyEntries } from './vocabulary.ts';
import { wordSplitterOf } from './word-splitter.ts';

/** What llama.cpp needs to merge characters by the scores of the tokens that they make. */
interface SentencePieceScores {
  /** The score of each token, by name; of those that no merge makes, the lowest. */
  readonly scoreOf: (token: string) => number;
  /** Whether a text starts with a space that it does not have. */
  readonly spacePrefix: boolean;
  /** For the user. */
  readonly notes: readonly string[];
}

/** The mark of a space in the vocabulary. */
const SPACE = '\u2581';

/** Whether a tokenizer.json is BPE over characters with bytes for the others, as those made from SentencePiece's files are. */
export const isSentencePiece = (json: JsonObject): boolean => {
  const model = modelOf(json);
  return model.type === 'BPE' && model.byte_fallback === true;
};

/**
 * The scores that make llama.cpp merge as the tokenizer does. A tokenizer.json ranks pairs of tokens, llama.cpp the tokens
 * that they make, whatever the pair. Returns why that cannot give the same tokens, as text, if it cannot.
 */
export function sentencePieceScores(json: JsonObject): SentencePieceScores | string {
  const model = modelOf(json);
  const own = new Set(vocabularyEntries(model).map(([token]) => token));
  if (allBytes.some((name) => !own.has(name))) return 'it lacks tokens for some bytes';
  if (model.ignore_merges === true || typeof model.dropout === 'number')
    return 'it has `ignore_merges` or `dropout`, which llama.cpp does not have for such vocabularies';
  const prefix = spacePrefixOf(json);
  if (typeof prefix === 'string') return prefix;
  const merges = mergesOf(model);
  const ranks = new Map<string, number>();
  for (const [rank, [first, second]] of merges.entries())
    if (!ranks.has(first + second)) ranks.set(first + second, rank);
  const added = new Set(
    (isList(json.added_tokens) ? json.added_tokens : []).map((token) =>
      String((token as JsonObject | null)?.content),
    ),
  );
  const fault = missingMerge(merges, { own, added }) ?? rankConflict(merges, ranks);
  if (fault !== undefined) return fault;
  return {
    ...prefix,
    scoreOf: (token) => -(ranks.get(token) ?? merges.length),
  };
}

const allBytes: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

const probes = ['a text', ' two  spaces ', 'I’m: 1,234 \n\n\tname_of(x)', '日本語 😀'];

/** llama.cpp marks spaces, and puts one before a text and after every special token, or never. */
function spacePrefixOf(json: JsonObject): Omit<SentencePieceScores, 'scoreOf'> | string {
  const normalize = normalizerOf(json.normalizer ?? null);
  const split = wordSplitterOf(json.pre_tokenizer ?? null);
  const made = (text: string, isBeginning: boolean) => split({ words: [normalize(text)], isBeginning });
  const spacePrefix = made('a', true)[0] === `${SPACE}a`;
  const expected = (text: string) => `${spacePrefix ? SPACE : ''}${text.replaceAll(' ', SPACE)}`;
  const isAs = (text: string, isBeginning: boolean) => {
    const words = made(text, isBeginning);
    return words.length === 1 && words[0] === expected(text);
  };
  if (!probes.every((text) => isAs(text.trimStart(), true)))
    return 'it splits or normalizes texts in a way that llama.cpp does not have for such vocabularies';
  const notes = [
    ...(isAs(' a', true)
      ? []
      : ['before a text that begins with a space, llama.cpp puts another one, and this tokenizer does not']),
    ...(isAs('a', false)
      ? []
      : ['llama.cpp puts a space before the text after a special token, and this tokenizer does not']),
  ];
  return { spacePrefix, notes };
}

type Merge = readonly [first: string, second: string];

const mergesOf = ({ merges }: JsonObject): readonly Merge[] =>
  (isList(merges) ? merges : []).map((merge): Merge => {
    const [first = '', second = ''] =
      typeof merge === 'string' ? merge.split(' ') : isList(merge) ? merge : [];
    return [String(first), String(second)];
  });

/** llama.cpp joins any two tokens that make a third. */
function missingMerge(
  merges: readonly Merge[],
  { own, added }: { readonly own: ReadonlySet<string>; readonly added: ReadonlySet<string> },
): string | undefined {
  const known = new Set(merges.map(([first, second]) => `${first} ${second}`));
  for (const token of own) {
    if (added.has(token)) continue;
    const characters = [...token];
    for (let at = 1; at < characters.length; at++) {
      const [first, second] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
      if (own.has(first) && own.has(second) && !known.has(`${first} ${second}`))
        return `it never joins ${JSON.stringify(first)} and ${JSON.stringify(second)}, which llama.cpp does, because they make a token`;
    }
  }
  return undefined;
}

/**
 * Two merges of one text compete if they share a token. The better rank must then be that of the better score, the best rank
 * of any pair that makes the same token.
 */
function rankConflict(merges: readonly Merge[], ranks: ReadonlyMap<string, number>): string | undefined {
  const [byFirst, bySecond] = [ranksBy(merges, 0), ranksBy(merges, 1)];
  for (const [rank, [first, second]] of merges.entries()) {
    const best = ranks.get(first + second) ?? rank;
    if (best === rank) continue;
    const range = { after: best, before: rank };
    const rivals = [...within(bySecond.get(first), range), ...within(byFirst.get(second), range)];
    const conflict = rivals.find((rival) => (ranks.get((merges[rival] ?? []).join('')) ?? rival) > best);
    if (conflict !== undefined)
      return `its merges are not ordered by the tokens that they make: ${JSON.stringify(merges[conflict]?.join(''))} comes before and after ${JSON.stringify(first + second)}`;
  }
  return undefined;
}

/** Those of ascending ranks that are between two others. */
function within(
  ranks: readonly number[] = [],
  { after, before }: { readonly after: number; readonly before: number },
): readonly number[] {
  let [low, high] = [0, ranks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranks[middle] ?? 0) > after) high = middle;
    else low = middle + 1;
  }
  let end = low;
  while (end < ranks.length && (ranks[end] ?? 0) < before) end++;
  return ranks.slice(low, end);
}

/** Ascending ranks of the merges by one of their tokens. */
function ranksBy(merges: readonly Merge[], part: 0 | 1): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [rank, merge] of merges.entries()) {
    const ranks = found.get(merge[part]);
    if (ranks === undefined) found.set(merge[part], [rank]);
    else ranks.push(rank);
  }
  return found;
}
