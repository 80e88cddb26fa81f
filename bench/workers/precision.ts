import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { writeQuantizedFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { type LanguageModel, openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { openTensorBackend, type WeightPrecision } from '../../src/tensor/index.ts';
import { chatWriter } from '../../src/text/chat/chat-segments.ts';
import { openChatTemplate } from '../../src/text/chat/open-chat-template.ts';
import { writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';

// What bench/precision.mjs runs: `node precision.mjs MODEL.gguf ROWS.json [from] [count]`.
const [gguf = '', rowsPath = '', from = '935', count = '60'] = process.argv.slice(2);

const folder = await mkdtemp(join(tmpdir(), 'precision-'));
let texts: readonly Text[] = [];
try {
  await using source = await openGgufModel(gguf);
  await writeGgufTokenizer(folder, source);
  await writeQuantizedFolder(folder, { config: source.config, gguf });
  texts = await chatTexts(JSON.parse(await readFile(rowsPath, 'utf8')));
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  const model = await openLanguageModel(folder);
  const exact = await logitsOf(model, 'float32');
  const kept = await openLanguageModel(folder, { precision: 'int4', products: 'rounded' });
  const found = {
    int8: compare({ exact, found: await logitsOf(model, 'int8') }),
    int4: compare({ exact, found: await logitsOf(model, 'int4') }),
    bits_of_the_file: compare({ exact, found: await logitsOf(kept, 'int4') }),
  };
  console.log(JSON.stringify(found));
} finally {
  await rm(folder, { recursive: true });
}

interface Text {
  readonly tokens: readonly number[];
  /** Where the answer begins. */
  readonly start: number;
}

interface InstructionRow {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

async function chatTexts(rows: readonly InstructionRow[]): Promise<readonly Text[]> {
  const tokenizer = await openTokenizer(folder);
  const write = chatWriter({
    templateFor: await openChatTemplate({ folder }),
    specialTokens: [...tokenizer.specialTokens.keys()],
    trainedRoles: ['assistant'],
    trainedTurns: 'all',
    trainReasoning: true,
  });
  return rows.slice(Number(from), Number(from) + Number(count)).map(({ instruction, input, output }) => {
    const content = input ? `${instruction}\n\n${input}` : instruction;
    const messages = [
      { role: 'user', content },
      { role: 'assistant', content: output },
    ];
    const { segments } = write({ messages });
    const tokens = [...tokenizer.encode(segments)];
    const prompt = tokenizer.encode(
      segments.slice(
        0,
        segments.findIndex(({ role }) => role === 'response'),
      ),
    );
    const differing = prompt.findIndex((token, place) => token !== tokens[place]);
    return { tokens, start: differing === -1 ? prompt.length : differing };
  });
}

/** The logits of each text, [T - 1, V]. */
async function logitsOf(model: LanguageModel, precision: WeightPrecision): Promise<readonly Float32Array[]> {
  using _quantized = quantizeWeights(model, precision);
  const all: Float32Array[] = [];
  for (const { tokens } of texts) {
    const length = tokens.length - 1;
    const logits = tf.tidy(() => {
      const ids = Int32Array.from(tokens.slice(0, -1));
      const rows = paddedRows(model.config, { ids, batch: 1, length, lengths: Int32Array.of(length) });
      return model.logits(model.hidden(rows));
    });
    all.push(await logits.data<'float32'>());
    logits.dispose();
  }
  return all;
}

function compare({ exact, found }: Record<'exact' | 'found', readonly Float32Array[]>) {
  let [largest, sum, count, agreed, places] = [0, 0, 0, 0, 0];
  const lost = { exact: 0, found: 0 };
  for (const [index, { tokens, start }] of texts.entries()) {
    const [a, b] = [exact[index] ?? new Float32Array(), found[index] ?? new Float32Array()];
    const vocabulary = a.length / (tokens.length - 1);
    for (let place = start - 1; place < tokens.length - 1; place++) {
      const rows = [a, b].map((all) => all.subarray(place * vocabulary, (place + 1) * vocabulary));
      const [one = new Float32Array(), other = new Float32Array()] = rows;
      for (const [i, logit] of one.entries()) {
        const error = Math.abs(logit - (other[i] ?? 0));
        largest = Math.max(largest, error);
        sum += error;
      }
      count += one.length;
      const [known, rounded] = rows.map((row) => lossAt(row, tokens[place + 1] ?? 0));
      lost.exact += known?.loss ?? 0;
      lost.found += rounded?.loss ?? 0;
      if (known?.likeliest === rounded?.likeliest) agreed++;
      places++;
    }
  }
  return {
    tokens: places,
    logits: { largest_error: largest, mean_error: sum / count },
    top_1_agreement: agreed / places,
    perplexity: { float32: Math.exp(lost.exact / places), rounded: Math.exp(lost.found / places) },
  };
}

function lossAt(row: Float32Array, target: number) {
  let likeliest = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] ?? 0) > (row[likeliest] ?? 0)) likeliest = i;
  const top = row[likeliest] ?? 0;
  const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return { likeliest, loss: top + Math.log(total) - (row[target] ?? 0) };
}
