import {
  openSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/index.ts';
import { type Answer, type Batches, textsOf } from '../../training/index.ts';
import {
  float32Tensor,
  int32Tensor,
  packRows,
  readCount,
  readPreference,
  readStringList,
  rowOf,
  stringListTensor,
  unpackRows,
} from './packed-rows.ts';

/**
 * Writes unpadded texts as safetensors, and the recipe that makes padded batches of them as metadata. An example is one
 * text, and what preferences compare two.
 */
export async function writeBatches(path: string, content: Batches): Promise<void> {
  const { examples, recipe, preference } = content;
  const texts = examples.flatMap(textsOf);
  const inputs = packRows(texts.map((text) => text.inputs));
  const targets = packRows(texts.map((text) => text.targets));
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
      ...(preference && { preference }),
    },
    tensors: [
      int32Tensor('inputs', inputs.values),
      int32Tensor('targets', targets.values),
      int32Tensor('ends', inputs.ends),
      int32Tensor(
        'prompt_lengths',
        Int32Array.from(texts, (text) => text.promptLength),
      ),
      stringListTensor(
        'ids',
        examples.map((example) => example.id),
      ),
      ...preferenceTensors(content),
    ],
  });
}

function preferenceTensors(content: Batches): readonly TensorToWrite[] {
  if (content.preference === undefined) return [];
  const references = content.examples.flatMap(textsOf).map(({ reference }) => reference);
  const known = references.filter((reference) => reference !== undefined);
  return [
    content.preference === 'paired'
      ? int32Tensor('learned', packRows(content.examples.map(({ chosen }) => chosen.learned)).values)
      : int32Tensor(
          'desirable',
          Int32Array.from(content.examples, ({ desirable }) => Number(desirable)),
        ),
    ...(known.length > 0 && known.length === references.length
      ? [float32Tensor('reference', Float32Array.from(known))]
      : []),
  ];
}

export async function readBatches(path: string): Promise<Batches> {
  await using file = await openSafetensors(path);
  const ids = await readStringList(file, 'ids');
  const ends = await file.readInt32('ends');
  const inputs = unpackRows({ values: await file.readInt32('inputs'), ends }, path);
  const targets = unpackRows({ values: await file.readInt32('targets'), ends }, path);
  const promptLengths = await file.readInt32('prompt_lengths');
  const reference = file.tensors.has('reference') ? await file.readFloat32('reference') : undefined;
  const set = {
    recipe: readRecipe(file),
    vocabulary: file.metadata.vocabulary ?? '',
    endOfText: readCount(file, 'end_of_text'),
    answerEnds: (file.metadata.answer_ends ?? '').split(' ').filter(Boolean).map(Number),
  };
  const textAt = (index: number) => ({
    inputs: rowOf(inputs, index, path),
    targets: rowOf(targets, index, path),
    promptLength: promptLengths[index] ?? 0,
  });
  const answerAt = (index: number): Answer => {
    const own = reference?.[index];
    return { ...textAt(index), ...(own !== undefined && { reference: own }) };
  };
  const preference = readPreference(file);
  switch (preference) {
    case 'paired': {
      const chosen = ids.map((_, index) => answerAt(2 * index));
      const learned = unpackRows(await packedAs(file, chosen), path);
      const examples = ids.map((id, index) => ({
        id,
        chosen: { ...answerAt(2 * index), learned: rowOf(learned, index, path) },
        rejected: answerAt(2 * index + 1),
      }));
      return { ...set, preference, examples };
    }
    case 'unpaired': {
      const desirable = await file.readInt32('desirable');
      const examples = ids.map((id, index) => ({
        id,
        answer: answerAt(2 * index),
        desirable: desirable[index] === 1,
        mismatched: answerAt(2 * index + 1),
      }));
      return { ...set, preference, examples };
    }
    default:
      return { ...set, examples: ids.map((id, index) => ({ id, ...textAt(index) })) };
  }
}

/** The rows of the tensor `learned`, each as long as its answer's inputs. */
async function packedAs(file: SafetensorsFile, answers: readonly Answer[]) {
  return {
    values: await file.readInt32('learned'),
    ends: packRows(answers.map(({ inputs }) => inputs)).ends,
  };
}

const readRecipe = (file: SafetensorsFile): Batches['recipe'] => ({
  batchSize: readCount(file, 'batch_size'),
  shuffle: file.metadata.shuffle === 'true',
  dropLast: file.metadata.drop_last === 'true',
  seed: readCount(file, 'seed'),
  ...('packed_length' in file.metadata ? { packedLength: readCount(file, 'packed_length') } : {}),
});
