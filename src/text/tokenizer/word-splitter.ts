import { isObject, type Json, type JsonObject } from '../../core/index.ts';
import { bytesAsText } from './normalizer.ts';
import { gpt2Words } from './pre-tokenizer.ts';
import { behaviorOf, patternOf, splitText } from './text-split.ts';

interface Words {
  readonly words: readonly string[];
  /** Whether the first word is the beginning of the whole text. */
  readonly isBeginning: boolean;
}

type WordSplitter = (words: Words) => readonly string[];

const punctuation = /[!-/:-@[-`{-~\p{P}]/gu;
const whiteSpace = /\p{White_Space}/gu;

/** The `pre_tokenizer` of a tokenizer.json. Throws an Error that names what is not supported. */
export function wordSplitterOf(json: Json): WordSplitter {
  if (!isObject(json)) return ({ words }) => words;
  const { type, behavior } = json;
  switch (type) {
    case 'Sequence': {
      const steps = (Array.isArray(json.pretokenizers) ? json.pretokenizers : []).map(wordSplitterOf);
      return ({ words, isBeginning }) =>
        steps.reduce((done, step) => step({ words: done, isBeginning }), words);
    }
    case 'Split': {
      const invert = json.invert === true;
      return splitter({ pattern: patternOf(json.pattern ?? null), behavior: behaviorOf(behavior), invert });
    }
    case 'ByteLevel':
      return byteLevelOf(json);
    case 'Metaspace':
      return metaspaceOf(json);
    case 'Digits':
      return splitter({
        pattern: /\p{N}/gu,
        behavior: json.individual_digits === true ? 'Isolated' : 'Contiguous',
      });
    case 'Punctuation':
      return splitter({ pattern: punctuation, behavior: behaviorOf(behavior ?? 'Isolated') });
    case 'Whitespace':
      return splitter({ pattern: whitespaceWords, behavior: 'Removed', invert: true });
    case 'WhitespaceSplit':
      return splitter({ pattern: whiteSpace, behavior: 'Removed' });
    case 'BertPreTokenizer': {
      const [atSpace, atPunctuation] = [
        splitter({ pattern: whiteSpace, behavior: 'Removed' }),
        splitter({ pattern: punctuation, behavior: 'Isolated' }),
      ];
      return (given) => atPunctuation({ ...given, words: atSpace(given) });
    }
    case 'CharDelimiterSplit':
      return splitter({ pattern: patternOf({ String: json.delimiter ?? null }), behavior: 'Removed' });
    case 'FixedLength':
      return fixedLengthOf(json);
    default:
      throw new Error(`its pre-tokenizer \`${type}\` is not supported`);
  }
}

const splitter =
  (how: Parameters<typeof splitText>[1]): WordSplitter =>
  ({ words }) =>
    words.flatMap((word) => splitText(word, how));

/** Runs of word characters, as Unicode defines them (UTS 18, annex C), and of neither these nor white space. */
const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const whitespaceWords = new RegExp(`[${wordCharacters}]+|[^${wordCharacters}\\p{White_Space}]+`, 'gu');

function byteLevelOf({ add_prefix_space: addsSpace, use_regex: usesWords }: JsonObject): WordSplitter {
  const split =
    usesWords === false
      ? undefined
      : { pattern: patternOf({ Regex: gpt2Words }), behavior: 'Isolated' as const };
  return ({ words }) =>
    words.flatMap((word) => {
      const text = addsSpace !== false && !word.startsWith(' ') ? ` ${word}` : word;
      return (split === undefined ? [text] : splitText(text, split)).map(bytesAsText);
    });
}

function metaspaceOf(json: JsonObject): WordSplitter {
  const mark = typeof json.replacement === 'string' ? json.replacement : '▁';
  const old = json.add_prefix_space === false ? 'never' : 'always';
  const scheme = json.prepend_scheme ?? old;
  const pattern = patternOf({ String: mark });
  return ({ words, isBeginning }) =>
    words.flatMap((word, index) => {
      const text = word.replaceAll(' ', mark);
      const isDue = scheme === 'always' || (scheme === 'first' && isBeginning && index === 0);
      const marked = isDue && !text.startsWith(mark) ? mark + text : text;
      return json.split === false ? [marked] : splitText(marked, { pattern, behavior: 'MergedWithNext' });
    });
}

function fixedLengthOf({ length }: JsonObject): WordSplitter {
  if (typeof length !== 'number' || !(length >= 1))
    throw new Error('its pre-tokenizer `FixedLength` has no length');
  return ({ words }) =>
    words.flatMap((word) => {
      const characters = Array.from(word);
      const starts = Array.from(
        { length: Math.ceil(characters.length / length) },
        (_, index) => index * length,
      );
      return starts.map((start) => characters.slice(start, start + length).join(''));
    });
}
