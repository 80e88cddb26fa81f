import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { serve } from './serve.ts';

// `node make-gpt2.mjs FOLDER [SIZES]`: GPT-2 124M, or with other sizes in JSON.
const [folder = '', given = '{}'] = process.argv.slice(2);
const { layers = 12, hiddenSize = 768, heads = 12 } = JSON.parse(given);
const sizes = { vocabularySize: 50257, contextLength: 1024, hiddenSize, layers, heads };

await serve(async () => {
  const model = initialModel({ family: 'gpt2', ...sizes, tied: true, seed: 1, endOfText: 50256 });
  await writeModelFolder(folder, model);
  return {};
});
