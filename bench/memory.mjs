import { gpt2Folder } from './gpt2-folder.mjs';
import { referenceRows, trainingBatches } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// Peak memory of training GPT-2 124M and of decoding with it, beside that of the peers: a process each.
// node bench/memory.mjs [steps]
const folder = await gpt2Folder();
const batches = trainingBatches({ size: 8, responses: false }).slice(0, Number(process.argv[2] ?? 8));
const answers = referenceRows().slice(935, 967);
const decoding = {
  batch: 16,
  slots: 256,
  prompts: answers.map(({ prompt, answer }) => ({ tokens: prompt, newTokens: answer.length })),
};
const work = { train: batches.map((rows) => ({ rows })), decode: [decoding] };
const words = { train: [[], []], decode: [['float32'], ['generate']] };

for (const [name, requests] of Object.entries(work)) {
  const [ours, theirs] = words[name];
  // One after the other: together they may not fit.
  const own = await peak(await ourWorker(name, folder, ...ours), requests);
  const peer = await peak(peerWorker(name, folder, ...theirs), requests);
  console.log(
    `${name}: ${(own / 1e9).toFixed(2)} GB, PyTorch ${(peer / 1e9).toFixed(2)} GB, share ${(own / peer).toFixed(2)}`,
  );
}

async function peak(worker, requests) {
  let memory = 0;
  for (const request of requests) ({ memory } = await worker.ask(request));
  worker.end();
  return memory;
}
