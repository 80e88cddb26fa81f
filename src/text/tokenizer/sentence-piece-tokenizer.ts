import type { JsonObject } from '../../core/index.ts';
import type { TokenizerFiles } from './byte-pair-tokenizer.ts';

/** A SentencePiece vocabulary whose pieces are merged by their scores, as those of Llama 2, Mistral and Gemma are. */
interface SentencePieces {
  /** By id. */
  readonly tokens: readonly string[];
  /** By id: of two possible merges, that with the higher score comes first. */
  readonly scores: readonly number[];
  /** Whether a token is made by merges; others are bytes, special, or found in a text before it is split. */
  readonly isMerged: (id: number) => boolean;
  readonly added_tokens: readonly JsonObject[];
  readonly post_processor: JsonObject | null;
  /** Whether a text starts with a space that it does not have. */
  readonly spacePrefix: boolean;
  readonly unknown: string | undefined;
}

/** The mark of a space in the vocabulary. */
const SPACE = '\u2581';

/** The tokenizer in Hugging Face's format: BPE over characters, with bytes for characters that the vocabulary lacks. */
export function sentencePieceTokenizer(pieces: SentencePieces, config: JsonObject): TokenizerFiles {
  const { tokens, added_tokens, post_processor, spacePrefix, unknown } = pieces;
  const replaced = (pattern: string, content: string) => ({
    type: 'Replace',
    pattern: { String: pattern },
    content,
  });
  const prefix = spacePrefix ? [{ type: 'Prepend', prepend: SPACE }] : [];
  const strip = spacePrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [];
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens,
      normalizer: { type: 'Sequence', normalizers: [...prefix, replaced(' ', SPACE)] },
      pre_tokenizer: null,
      post_processor,
      decoder: {
        type: 'Sequence',
        decoders: [replaced(SPACE, ' '), { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip],
      },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: unknown ?? null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: mergesByScore(pieces),
      },
    },
    config: { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false, ...config },
  };
}

/** Every pair of tokens that makes a third, the third with the highest score first, as transformers' converters order them. */
function mergesByScore({ tokens, scores, isMerged }: SentencePieces): readonly (readonly [string, string])[] {
  const known = new Set(tokens.filter((_, id) => isMerged(id)));
  const byScore = [...tokens.keys()].filter(isMerged);
  byScore.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  return byScore.flatMap((id) => {
    const characters = [...(tokens[id] ?? '')];
    // The longest first part comes first.
    return Array.from({ length: characters.length - 1 }, (_, index) => characters.length - 1 - index)
      .map((at) => [characters.slice(0, at).join(''), characters.slice(at).join('')] as const)
      .filter(([first, second]) => known.has(first) && known.has(second));
  });
}
