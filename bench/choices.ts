import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RandomStream } from '../src/core/random-stream.ts';
import { writeModelFolder } from '../src/model/folder/model-folder.ts';
import { choiceLogLikelihoods } from '../src/model/generation/choices.ts';
import { textLogLikelihoods } from '../src/model/generation/log-likelihoods.ts';
import { initialModel } from '../src/model/initial-model.ts';
import { openLanguageModel } from '../src/model/language-model.ts';
import { openTensorBackend } from '../src/tensor/index.ts';

// Seconds to score four choices per question after five shots: with the shared prefix read once, against one text per choice.
// npx esbuild bench/choices.ts --bundle --platform=node --format=esm --packages=external --outfile=dist/bench-choices.mjs
// node dist/bench-choices.mjs
const [questions, batchSize, vocabularySize] = [32, 8, 5000];
const folder = await mkdtemp(join(tmpdir(), 'bench-choices-'));
const sizes = { vocabularySize, contextLength: 1024, hiddenSize: 256, layers: 6, heads: 8 };
await writeModelFolder(folder, initialModel({ family: 'gpt2', ...sizes, tied: true, seed: 0, endOfText: 0 }));
console.log(await openTensorBackend({ backend: 'onnx', threads: 2 }));
const model = await openLanguageModel(folder);
await rm(folder, { recursive: true });

const random = new RandomStream(['choices']);
const tokens = (length: number) =>
  Int32Array.from({ length }, () => Math.floor(random.uniform() * vocabularySize));
// As long as MMLU's: five shots of some 110 tokens each, and a question of 60 to 140.
const shots = tokens(560);
const letters = [1, 2, 3, 4].map((letter) => Int32Array.of(letter));
const choices = Array.from({ length: questions }, (_, index) => ({
  id: String(index),
  context: Int32Array.of(...shots, ...tokens(60 + Math.floor(random.uniform() * 80))),
  continuations: letters,
  shared: shots.length,
}));
const texts = choices.flatMap(({ id, context, continuations }) =>
  continuations.map((continuation, index) => ({
    id: `${id}/${index}`,
    tokens: Int32Array.of(...context, ...continuation),
    from: context.length,
  })),
);
const { signal } = new AbortController();

async function seconds(results: AsyncIterable<unknown>): Promise<number> {
  const start = performance.now();
  for await (const _ of results);
  return (performance.now() - start) / 1000;
}

const runs = {
  shared: () => seconds(choiceLogLikelihoods({ model, choices, batchSize, signal })),
  'shared within a question only': () =>
    seconds(
      choiceLogLikelihoods({
        model,
        choices: choices.map((one) => ({ ...one, shared: 0 })),
        batchSize,
        signal,
      }),
    ),
  'one text a choice': () => seconds(textLogLikelihoods({ model, texts, batchSize, signal })),
};
for (const [name, run] of Object.entries(runs)) {
  await run(); // compiles its graphs
  const times = [await run(), await run(), await run()].sort((a, b) => a - b);
  console.log(name, `${times[1]?.toFixed(2)} s for ${questions} questions`);
}
