// How far off a model's logits are with weights in 8 bits: `node precision.mjs MODEL.gguf TEXTS.json`, a list of texts.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { writeModelFolder } from '../../src/model/folder/write-model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { holdWeights } from '../../src/model/hold-weights.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { paddedRows } from '../../src/model/padded-rows.ts';
import { openTensorBackend, type WeightPrecision } from '../../src/tensor/index.ts';

const [gguf = '', tokensPath = ''] = process.argv.slice(2);
const texts: readonly (readonly number[])[] = JSON.parse(await readFile(tokensPath, 'utf8'));

const folder = await mkdtemp(join(tmpdir(), 'precision-'));
try {
  await using source = await openGgufModel(gguf);
  await writeModelFolder(folder, source);
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  const model = await openLanguageModel(folder);
  const exact = await logitsOf(model, 'float32');
  console.log(JSON.stringify(compare({ exact, found: await logitsOf(model, 'int8') }), null, 2));
} finally {
  await rm(folder, { recursive: true });
}

/** For each text [T, V]. */
async function logitsOf(model: LanguageModel, precision: WeightPrecision): Promise<readonly Float32Array[]> {
  using _held = holdWeights(model, precision);
  const all: Float32Array[] = [];
  for (const text of texts) {
    const length = text.length - 1;
    const logits = tf.tidy(() => {
      const ids = Int32Array.from(text.slice(0, -1));
      const rows = paddedRows(model.config, { ids, batch: 1, length, lengths: Int32Array.of(length) });
      return model.logits(model.hidden(rows));
    });
    all.push(await logits.data<'float32'>());
    logits.dispose();
  }
  return all;
}

interface Compared {
  readonly exact: readonly Float32Array[];
  readonly found: readonly Float32Array[];
}

function compare({ exact, found }: Compared) {
  let [largest, sum, count, agreed, places] = [0, 0, 0, 0, 0];
  const lost = { exact: 0, found: 0 };
  for (const [index, text] of texts.entries()) {
    const [a, b] = [exact[index] ?? new Float32Array(), found[index] ?? new Float32Array()];
    const vocabulary = a.length / (text.length - 1);
    for (let i = 0; i < a.length; i++) {
      const error = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
      largest = Math.max(largest, error);
      sum += error;
    }
    count += a.length;
    for (const [place, target] of text.slice(1).entries()) {
      const rows = [a, b].map((all) => all.subarray(place * vocabulary, (place + 1) * vocabulary));
      const [one, other] = rows.map((row) => lossAt(row, target));
      lost.exact += one?.loss ?? 0;
      lost.found += other?.loss ?? 0;
      if (one?.likeliest === other?.likeliest) agreed++;
      places++;
    }
  }
  return {
    tokens: places,
    logits: { largest_error: largest, mean_error: sum / count },
    top_1_agreement: agreed / places,
    perplexity: { float32: Math.exp(lost.exact / places), int8: Math.exp(lost.found / places) },
  };
}

function lossAt(row: Float32Array, target: number) {
  let likeliest = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] ?? 0) > (row[likeliest] ?? 0)) likeliest = i;
  const top = row[likeliest] ?? 0;
  const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return { likeliest, loss: top + Math.log(total) - (row[target] ?? 0) };
}
