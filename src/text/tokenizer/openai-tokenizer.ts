import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { ggufPreTokenizer } from './pre-tokenizer.ts';

/** GPT-2's are 1 MB and less. */
const mostBytes = 32 * 2 ** 20;
const endOfText = '<|endoftext|>';

/** Writes the tokenizer that OpenAI released with GPT-2 (encoder.json, vocab.bpe) as tokenizer.json and tokenizer_config.json. */
export async function writeOpenaiTokenizer({ from, to }: { from: string; to: string }): Promise<void> {
  const vocabulary = vocabularyIn(join(from, 'encoder.json'), await textOf(join(from, 'encoder.json')));
  const merges = mergesIn(join(from, 'vocab.bpe'), {
    text: await textOf(join(from, 'vocab.bpe')),
    vocabulary,
  });
  const tokenizer = tokenizerJson(vocabulary, merges);
  const named = { bos_token: endOfText, eos_token: endOfText, unk_token: endOfText };
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    ...named,
  };
  await writeFile(join(to, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`);
  await writeFile(join(to, 'tokenizer_config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}

type Vocabulary = Readonly<Record<string, number>>;

function tokenizerJson(vocab: Vocabulary, merges: readonly (readonly string[])[]): JsonObject {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [{ id: vocab[endOfText] ?? 0, content: endOfText, ...flags }],
    normalizer: null,
    pre_tokenizer: ggufPreTokenizer('gpt-2') ?? null,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

function vocabularyIn(path: string, text: string): Vocabulary {
  const json = parsed(path, text);
  const entries = isObject(json) ? Object.entries(json) : [];
  const ids = new Set(entries.map(([, id]) => id));
  // As many different ids as there are tokens, all below their number: every id from 0 on is there once.
  const isWhole = entries.every(
    ([, id]) => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < ids.size,
  );
  if (entries.length === 0 || ids.size !== entries.length || !isWhole)
    throw bad(path, 'is no vocabulary: a JSON object that gives each token an id of its own, from 0 on');
  if (!isObject(json) || json[endOfText] === undefined) throw bad(path, `has no token ${endOfText}`);
  return Object.fromEntries(entries.flatMap(([token, id]) => (typeof id === 'number' ? [[token, id]] : [])));
}

/** A pair of tokens a line, after a line that says the version. */
function mergesIn(
  path: string,
  { text, vocabulary }: { readonly text: string; readonly vocabulary: Vocabulary },
): readonly (readonly string[])[] {
  const [first = '', ...others] = text.split('\n');
  const lines = first.startsWith('#version') ? others : [first, ...others];
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const [left = '', right = '', more] = line.trimEnd().split(' ');
    const isKnown = [left, right, left + right].every((token) => Object.hasOwn(vocabulary, token));
    if (isKnown && more === undefined) return [[left, right]];
    const number = index + 1 + (lines === others ? 1 : 0);
    throw bad(`${path}:${number}`, 'is no pair of tokens that encoder.json has, together and apart');
  });
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw bad(path, 'is missing or cannot be read');
  if (found.size > mostBytes) throw bad(path, `has ${found.size} bytes, too many for a vocabulary`);
  return readFile(path, 'utf8');
}

function parsed(path: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw bad(path, 'is not JSON');
  }
}

const bad = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-tokenizer',
    message: `${path} ${what}`,
    help: 'encoder.json and vocab.bpe come with the checkpoint; fetch them again',
  });
