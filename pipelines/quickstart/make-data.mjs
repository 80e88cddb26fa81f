// Writes what quickstart.yaml loads: the instructions, and the tokenizer of the base model. Run it after editing facts.json.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { instructionsOf, paragraphsOf } from './phrasings.mjs';
import { tokenizerOf } from './word-tokenizer.mjs';

const path = (name) => new URL(name, import.meta.url);
const pretty = (value) => `${JSON.stringify(value, null, 2)}\n`;

const facts = JSON.parse(readFileSync(path('facts.json'), 'utf8'));
const instructions = instructionsOf(facts);
const prompt =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.' +
  '\n\n### Instruction:\n\n\n### Input:\n\n\n### Response:\n';
const texts = [
  prompt,
  ...paragraphsOf(facts).map((row) => row.text),
  ...instructions.flatMap((row) => [row.instruction, row.output]),
];

writeFileSync(path('instructions.jsonl'), instructions.map((row) => `${JSON.stringify(row)}\n`).join(''));
mkdirSync(path('tokenizer'), { recursive: true });
writeFileSync(path('tokenizer/tokenizer.json'), pretty(tokenizerOf(texts)));
writeFileSync(
  path('tokenizer/tokenizer_config.json'),
  pretty({
    tokenizer_class: 'PreTrainedTokenizerFast',
    eos_token: '<|endoftext|>',
    unk_token: '<|unknown|>',
  }),
);
