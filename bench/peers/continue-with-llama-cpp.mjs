// Continues prompts greedily with llama.cpp: `node continue-with-llama-cpp.mjs FOLDER REQUESTS`, where FOLDER has
// node-llama-cpp installed and REQUESTS is JSON, a list of { model, adapter?, prompts, count }. Prints for each request, and
// each of its prompts, the prompt's ids and those that follow. With a count of 0 the text of a prompt never becomes a special
// token.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, requests] = process.argv.slice(2);
const entry = join(folder, 'node_modules/node-llama-cpp/dist/index.js');
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
});

const answers = [];
for (const { model: path, adapter, prompts, count } of JSON.parse(requests)) {
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({
    contextSize: 64,
    threads: 1,
    flashAttention: false, // it rounds to 16 bits
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
    ...(adapter && { lora: { adapters: [{ filePath: adapter }] } }),
  });
  const sequence = context.getSequence();
  const answer = [];
  for (const prompt of prompts) {
    await sequence.clearHistory();
    const ids = model.tokenize(prompt, count > 0);
    const next = [];
    if (count > 0)
      for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
        next.push(token);
        if (next.length === count) break;
      }
    answer.push({ ids: Array.from(ids), next });
  }
  answers.push(answer);
  await model.dispose();
}
console.log(JSON.stringify(answers));
