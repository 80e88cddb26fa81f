import type { JsonObject } from '../../src/core/json.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { answerScoring } from '../../src/stages/train/answer-scoring.ts';
import { trainStage } from '../../src/stages/train/train-stage.ts';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import type { AnswerScoring } from '../../src/training/training-task.ts';
import { tinyModel } from './tiny-training.ts';

/** The field `evaluate` of train with the schema's defaults. */
export const evaluateWith = (generation: JsonObject, more: JsonObject = {}): TrainConfig['evaluate'] =>
  (
    fillDefaults(trainStage.schema, {
      evaluate: { every: 3, batches: 2, generation, ...more },
    }) as unknown as TrainConfig
  ).evaluate; // the schema's own defaults

/** Prompts of two words that count upwards, and the two words that follow. */
async function* countingPrompts(count: number) {
  for (let index = 0; index < count; index++) {
    const words = Array.from({ length: 4 }, (_, place) => `w${(7 * index + place) % 50}`);
    const segments = [
      { role: 'prompt', text: words.slice(0, 2).join(' ') },
      { role: 'response', text: ` ${words.slice(2).join(' ')}` },
    ];
    yield { id: `prompt-${index}`, segments, fields: {} };
  }
}

/** Scores the answers of the tiny model to such prompts. */
export async function countingAnswers(
  { generation }: TrainConfig['evaluate'],
  backend: TensorBackendName = 'cpu',
): Promise<AnswerScoring> {
  if (generation === undefined) throw new Error('the configuration scores no answers');
  const tensorBackend = await openTensorBackend({ backend });
  const model = await openLanguageModel(tinyModel);
  model.dispose();
  const local = { model, tensorBackend, tokenizer: await openTokenizer(tinyModel), endTokens: [] };
  return answerScoring(generation, {
    records: countingPrompts(6),
    local: { ...local, [Symbol.dispose]: () => {} },
  });
}
