import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../../formats/index.ts';
import type { Batches } from '../../training/index.ts';
import {
  int32Tensor,
  packRows,
  readCount,
  readStringList,
  rowOf,
  stringListTensor,
  unpackRows,
} from './packed-rows.ts';

/** Writes unpadded examples as safetensors, and the recipe that makes padded batches of them as metadata. */
export async function writeBatches(path: string, content: Batches): Promise<void> {
  const { examples, recipe } = content;
  const inputs = packRows(examples.map((example) => example.inputs));
  const targets = packRows(examples.map((example) => example.targets));
  await writeSafetensors(path, {
    metadata: {
      vocabulary: content.vocabulary,
      end_of_text: String(content.endOfText),
      answer_ends: content.answerEnds.join(' '),
      batch_size: String(recipe.batchSize),
      shuffle: String(recipe.shuffle),
      drop_last: String(recipe.dropLast),
      seed: String(recipe.seed),
      ...(recipe.packedLength === undefined ? {} : { packed_length: String(recipe.packedLength) }),
    },
    tensors: [
      int32Tensor('inputs', inputs.values),
      int32Tensor('targets', targets.values),
      int32Tensor('ends', inputs.ends),
      int32Tensor(
        'prompt_lengths',
        Int32Array.from(examples, (example) => example.promptLength),
      ),
      stringListTensor(
        'ids',
        examples.map((example) => example.id),
      ),
    ],
  });
}

export async function readBatches(path: string): Promise<Batches> {
  await using file = await openSafetensors(path);
  const ids = await readStringList(file, 'ids');
  const ends = await file.readInt32('ends');
  const inputs = unpackRows({ values: await file.readInt32('inputs'), ends }, path);
  const targets = unpackRows({ values: await file.readInt32('targets'), ends }, path);
  const promptLengths = await file.readInt32('prompt_lengths');
  const examples = ids.map((id, index) => ({
    id,
    inputs: rowOf(inputs, index, path),
    targets: rowOf(targets, index, path),
    promptLength: promptLengths[index] ?? 0,
  }));
  return {
    examples,
    recipe: readRecipe(file),
    vocabulary: file.metadata.vocabulary ?? '',
    endOfText: readCount(file, 'end_of_text'),
    answerEnds: (file.metadata.answer_ends ?? '').split(' ').filter(Boolean).map(Number),
  };
}

const readRecipe = (file: SafetensorsFile): Batches['recipe'] => ({
  batchSize: readCount(file, 'batch_size'),
  shuffle: file.metadata.shuffle === 'true',
  dropLast: file.metadata.drop_last === 'true',
  seed: readCount(file, 'seed'),
  ...('packed_length' in file.metadata ? { packedLength: readCount(file, 'packed_length') } : {}),
});
