import { isList, type JsonObject } from '../../core/index.ts';
import { byteNames, type ModelTokens, vocabularyEntries, type WordModel } from './vocabulary.ts';

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  /** The token that ends here. */
  id?: number;
}

/** What an unknown character costs more than the least likely token (SentencePiece's kUnkPenalty). */
const unknownPenalty = 10;

/**
 * A Unigram model: the tokens with the highest sum of log-probabilities. As in the tokenizers library, of equal sums up
 * to a place the one whose last token is the longest wins, and unknown characters in sequence are one token.
 */
export function unigramModel(json: JsonObject, { idOf, unknown }: ModelTokens): WordModel {
  const scores = (isList(json.vocab ?? null) ? (json.vocab as readonly unknown[]) : []).map((entry) =>
    Array.isArray(entry) && typeof entry[1] === 'number' ? entry[1] : 0,
  );
  const root: TrieNode = { next: new Map() };
  for (const [token] of vocabularyEntries(json)) {
    const id = idOf(token);
    if (id !== undefined && token !== '') addToken(root, token, id);
  }
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty;
  const unknownIds = (text: string): readonly (number | undefined)[] => {
    const bytes = json.byte_fallback === true ? byteNames(text).map(idOf) : [];
    return bytes.length > 0 && bytes.every((id) => id !== undefined) ? bytes : [unknown];
  };
  return (word) => {
    const path = bestPath(word, { root, scores, unknownScore });
    return path.flatMap(({ text, id }) => (id === undefined ? unknownIds(text) : [id]));
  };
}

function addToken(root: TrieNode, token: string, id: number): void {
  let node = root;
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at);
    const next = node.next.get(code) ?? { next: new Map() };
    node.next.set(code, next);
    node = next;
  }
  node.id = id;
}

interface Lattice {
  readonly root: TrieNode;
  readonly scores: readonly number[];
  readonly unknownScore: number;
}

interface PathToken {
  readonly text: string;
  /** Undefined for unknown text. */
  readonly id: number | undefined;
}

function bestPath(word: string, { root, scores, unknownScore }: Lattice): readonly PathToken[] {
  const size = word.length + 1;
  const best = new Float64Array(size);
  /** Where the best path's last token starts and which it is, by where it ends. */
  const starts = new Int32Array(size).fill(-1);
  const ids = new Int32Array(size).fill(-1);
  for (let start = 0; start < word.length; ) {
    const before = best[start] ?? 0;
    const offer = (end: number, score: number, id: number): void => {
      if ((starts[end] ?? 0) >= 0 && score <= (best[end] ?? 0)) return;
      best[end] = score;
      starts[end] = start;
      ids[end] = id;
    };
    const width = (word.codePointAt(start) ?? 0) > 0xffff ? 2 : 1;
    let hasOwnToken = false;
    let node = root.next.get(word.charCodeAt(start));
    for (let end = start + 1; node !== undefined; end++) {
      if (node.id !== undefined) {
        offer(end, (scores[node.id] ?? 0) + before, node.id);
        if (end - start === width) hasOwnToken = true;
      }
      node = end < word.length ? node.next.get(word.charCodeAt(end)) : undefined;
    }
    if (!hasOwnToken) offer(start + width, unknownScore + before, -1);
    start += width;
  }
  return backtrack(word, { starts, ids });
}

function backtrack(
  word: string,
  { starts, ids }: { readonly starts: Int32Array; readonly ids: Int32Array },
): readonly PathToken[] {
  const path: PathToken[] = [];
  for (let end = word.length; end > 0; ) {
    const isUnknown = (ids[end] ?? -1) < 0;
    let start = starts[end] ?? 0;
    while (isUnknown && start > 0 && (ids[start] ?? -1) < 0) start = starts[start] ?? 0;
    path.push({ text: word.slice(start, end), id: isUnknown ? undefined : ids[end] });
    end = start;
  }
  return path.reverse();
}
