import { parseArgs } from 'node:util';
import { againstLlamaCpp } from './decode-llama-cpp.mjs';
import { gpt2Folder } from './gpt2-folder.mjs';
import { median } from './median.mjs';
import { referenceRows } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// Greedy answers to the reference's 110 test prompts with GPT-2 124M, each as long as the expected one, alternating with
// transformers' generate in batches of the same size, or with the reference's loop (one row at a time, without a cache),
// which writes only every tenth answer: all of them would take a quarter of an hour a round.
// With `--peer llama.cpp` the model is SmolLM2-135M's GGUF file (TUNELOOM_SMOLLM2) with its own bits, in `int4`.
// node bench/decode.mjs [batch] [generate|loop] [float32|int8|int4] [prompts] [rounds] [--peer llama.cpp]
const { positionals, values } = parseArgs({ allowPositionals: true, options: { peer: { type: 'string' } } });
const [batch = '8', mode = 'generate', precision = 'float32', prompts = '110', rounds = '3'] = positionals;
if (values.peer === 'llama.cpp') {
  const work = { batch: Number(batch), precision, prompts: Number(prompts), rounds: Number(rounds) };
  console.log(JSON.stringify(await againstLlamaCpp(work), null, 2));
  process.exit();
}
const folder = await gpt2Folder();
const rows = referenceRows().slice(935, 935 + Number(prompts));
const work = {
  batch: Number(batch),
  // Room for the longest prompt and the longest answer.
  slots: 128,
  prompts: rows.map(({ prompt, answer }) => ({ tokens: prompt, newTokens: answer.length })),
};
const every = mode === 'loop' ? 10 : 1;
const peerWork = { ...work, prompts: work.prompts.filter((_, i) => i % every === 0) };
const workers = {
  tuneloom: await ourWorker('decode', folder, precision),
  peer: peerWorker('decode', folder, mode),
};
const warmUp = { ...work, prompts: work.prompts.slice(0, 2).map((one) => ({ ...one, newTokens: 2 })) };
const answers = { tuneloom: [], peer: [] };
for (const worker of Object.values(workers)) await worker.ask(warmUp);
for (let round = 0; round < Number(rounds); round++)
  for (const [name, worker] of Object.entries(workers))
    answers[name].push(await worker.ask(name === 'peer' ? peerWork : work));
for (const worker of Object.values(workers)) worker.end();

const tokensOf = (prompts) => prompts.reduce((sum, { newTokens }) => sum + newTokens, 0);
const tokens = { tuneloom: tokensOf(work.prompts), peer: tokensOf(peerWork.prompts) };
const rates = (name) => answers[name].map(({ seconds }) => tokens[name] / seconds);
const [ours, theirs] = [rates('tuneloom'), rates('peer')];
const [written, expected] = [answers.tuneloom[0].written, answers.peer[0].written];
console.log(
  JSON.stringify(
    {
      work: `${prompts} answers, ${tokens.tuneloom} tokens, batch ${batch}, ${precision}, against ${mode}`,
      tokens_per_second: { tuneloom: median(ours), peer: median(theirs) },
      ratio: median(ours.map((rate, i) => rate / theirs[i])),
      // With random weights the likeliest tokens are close together: a last digit decides some.
      compared_answers: expected.length,
      equal_answers: expected.filter((row, i) => row.join() === written[i * every].join()).length,
      peak_gigabytes: {
        tuneloom: answers.tuneloom.at(-1).memory / 1e9,
        peer: answers.peer.at(-1).memory / 1e9,
      },
    },
    null,
    2,
  ),
);
