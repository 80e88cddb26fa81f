import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json, UserError } from '../../core/index.ts';
import { addedToken, bytePairTokenizer, writeTokenizer } from './byte-pair-tokenizer.ts';
import { ggufPreTokenizer } from './pre-tokenizer.ts';

/** GPT-2's files have 1 MB or less. */
const mostBytes = 32 * 2 ** 20;
const endOfText = '<|endoftext|>';

/** Writes the tokenizer that OpenAI released with GPT-2 (encoder.json, vocab.bpe) as tokenizer.json and tokenizer_config.json. */
export async function writeOpenaiTokenizer({ from, to }: { from: string; to: string }): Promise<void> {
  const [vocabularyPath, mergesPath] = [join(from, 'encoder.json'), join(from, 'vocab.bpe')];
  const vocab = vocabularyIn(vocabularyPath, await textOf(vocabularyPath));
  const merges = mergesIn(mergesPath, { text: await textOf(mergesPath), vocabulary: vocab });
  const pairs = {
    added_tokens: [addedToken({ id: vocab[endOfText] ?? 0, content: endOfText, special: true })],
    pre_tokenizer: ggufPreTokenizer('gpt-2') ?? null,
    post_processor: null,
    ignore_merges: false,
    vocab,
    merges,
  };
  const config = { bos_token: endOfText, eos_token: endOfText, unk_token: endOfText };
  await writeTokenizer(to, bytePairTokenizer(pairs, config));
}

type Vocabulary = Readonly<Record<string, number>>;

function vocabularyIn(path: string, text: string): Vocabulary {
  const json = parsed(path, text);
  const entries = isObject(json) ? Object.entries(json) : [];
  const ids = new Set(entries.map(([, id]) => id));
  // N different ids below N: each from 0 to N - 1 occurs once.
  const isWhole = entries.every(
    ([, id]) => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < ids.size,
  );
  if (entries.length === 0 || ids.size !== entries.length || !isWhole)
    throw bad(path, 'is not a vocabulary: a JSON object that gives each token its own id, from 0 on');
  if (!isObject(json) || json[endOfText] === undefined) throw bad(path, `has no token ${endOfText}`);
  return Object.fromEntries(entries.flatMap(([token, id]) => (typeof id === 'number' ? [[token, id]] : [])));
}

/** One pair of tokens per line, after a line with the version. */
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
    throw bad(
      `${path}:${number}`,
      'is not a pair of tokens that encoder.json has, both separately and joined',
    );
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
    help: 'encoder.json and vocab.bpe come with the checkpoint; download them again',
  });
