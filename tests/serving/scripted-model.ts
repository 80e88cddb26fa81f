import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { parseModelConfig } from '../../src/model/model-config.ts';
import { byteAlphabet } from '../../src/text/tokenizer/encoding-tokenizer-json.ts';

/** Tokens beside the bytes, each of which is a token. */
const specialTokens = [
  '<|im_start|>',
  '<|im_end|>',
  '<tool_call>',
  '</tool_call>',
  '[TOOL_CALLS]',
  '<|python_tag|>',
];
const vocabularySize = 272;
const contextLength = 1024;
const layers = ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'];

/** Writes a conversation with its tools, as Hermes' templates do. */
const hermes = `{% if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or '' }}{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/**
 * A real GPT-2 of no layers that writes a given text, over and over, whatever it reads: its token embeddings are so
 * small that its position embeddings alone decide, and they point at the text's tokens. With `at`, the text begins at
 * that position, and the end of an answer follows it.
 */
export async function writeScriptedModel(
  folder: string,
  {
    script,
    at,
    template = hermes,
  }: { readonly script: string; readonly at?: number; readonly template?: string },
): Promise<void> {
  const tokens = tokensOf(script);
  const tokenAfter = (position: number): number => {
    if (at === undefined) return tokens[(position + 1) % tokens.length] ?? 0;
    return tokens[position + 1 - at] ?? 256 + specialTokens.indexOf('<|im_end|>');
  };
  const config = parseModelConfig('scripted', {
    ...{ model_type: 'gpt2', vocab_size: vocabularySize, n_positions: contextLength, n_embd: vocabularySize },
    ...{ n_layer: 1, n_head: 2, tie_word_embeddings: true },
  });
  const read = (name: string): Float32Array => {
    const matrix = (rows: number, valueAt: (row: number) => readonly [column: number, value: number]) => {
      const values = new Float32Array(rows * vocabularySize);
      for (let row = 0; row < rows; row++) {
        const [column, value] = valueAt(row);
        values[row * vocabularySize + column] = value;
      }
      return values;
    };
    if (name.endsWith('wte.weight')) return matrix(vocabularySize, (token) => [token, 1]);
    if (name.endsWith('wpe.weight')) return matrix(contextLength, (position) => [tokenAfter(position), 4]);
    if (name.endsWith('ln_f.weight')) return new Float32Array(vocabularySize).fill(1);
    return new Float32Array(sizeOf(name));
  };
  await mkdir(folder, { recursive: true });
  await writeModelFolder(folder, { config, read });
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer()));
  await writeFile(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({ eos_token: '<|im_end|>', chat_template: template }),
  );
}

/** The numbers in a parameter that is zero. */
function sizeOf(name: string): number {
  const inner = 4 * vocabularySize;
  const outputs: Readonly<Record<string, number>> = { 'attn.c_attn': 3 * vocabularySize, 'mlp.c_fc': inner };
  const layer = layers.find((one) => name.includes(one));
  if (layer === undefined) return vocabularySize;
  const output = outputs[layer] ?? vocabularySize;
  if (name.endsWith('bias')) return output;
  return output * (layer === 'mlp.c_proj' ? inner : vocabularySize);
}

/** The ids of a text in which special tokens are spelled out. */
function tokensOf(text: string): readonly number[] {
  const pattern = new RegExp(`(${specialTokens.map((name) => name.replace(/\W/g, '\\$&')).join('|')})`);
  return text.split(pattern).flatMap((piece) => {
    const special = specialTokens.indexOf(piece);
    return special >= 0 ? [256 + special] : [...Buffer.from(piece, 'utf8')];
  });
}

const tokenizer = () => ({
  version: '1.0',
  added_tokens: specialTokens.map((content, index) => ({
    ...{ id: 256 + index, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  })),
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  model: {
    ...{ type: 'BPE', merges: [], fuse_unk: false, byte_fallback: false },
    vocab: Object.fromEntries(byteAlphabet.map((character, byte) => [character, byte])),
  },
});
