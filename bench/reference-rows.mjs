import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';

const END = 50256;
const file = join(import.meta.dirname, '../../shared/data/rasbt/instruction-data.json');

const readRows = () => JSON.parse(readFileSync(process.env.TUNELOOM_BENCH_ROWS ?? file, 'utf8'));

/** The reference's 1,100 instructions as a user writes them in a chat. */
export const referenceMessages = () =>
  readRows().map(({ instruction, input }) => (input ? `${instruction}\n\n${input}` : instruction));

/** The same as its script formats them: prompt and answer in tokens. */
export function referenceRows() {
  return readRows().map(({ instruction, input, output }) => {
    const given = input ? `\n\n### Input:\n${input}` : '';
    const prompt = `Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n${instruction}${given}`;
    return { prompt: encode(prompt), answer: [...encode(`\n\n### Response:\n${output}`), END] };
  });
}

/** The 935 rows that are trained on, shuffled, in batches; with `responses`, targets before the answer are masked. */
export function trainingBatches({ size, responses }) {
  const rows = referenceRows().slice(0, 935);
  let state = 123;
  for (let i = rows.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  const examples = rows.map(({ prompt, answer }) => {
    const all = [...prompt, ...answer];
    const targets = all
      .slice(1)
      .map((token, index) => (responses && index < prompt.length - 1 ? -100 : token));
    return { inputs: all.slice(0, -1), targets };
  });
  const count = Math.floor(examples.length / size);
  return Array.from({ length: count }, (_, i) => examples.slice(i * size, (i + 1) * size));
}
