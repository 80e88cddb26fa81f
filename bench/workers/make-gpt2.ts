import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { serve } from './serve.ts';

const sizes = { vocabularySize: 50257, contextLength: 1024, hiddenSize: 768, layers: 12, heads: 12 };

await serve(async () => {
  const model = initialModel({ family: 'gpt2', ...sizes, tied: true, seed: 1, endOfText: 50256 });
  await writeModelFolder(process.argv[2] ?? '', model);
  return {};
});
