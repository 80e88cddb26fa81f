import { RandomStream, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import { answerMetrics, type Metric, type ScoredResponse } from '../../metrics/index.ts';
import { quantizeWeights } from '../../model/index.ts';
import { fillDefaults } from '../../runtime/index.ts';
import type { DataRecord } from '../../text/index.ts';
import type { AnswerScoring } from '../../training/index.ts';
import { evaluateStage } from '../evaluate/evaluate-stage.ts';
import { scoreResponses } from '../evaluate/score-responses.ts';
import { generateStage } from '../generate/generate-stage.ts';
import { type Prompt, readPrompts } from '../generate/prompt.ts';
import { type Answer, localClient, textGeneration } from '../generate/text-generation.ts';
import type { LocalModel } from '../models/local-model.ts';

type Settings = NonNullable<TrainConfig['evaluate']['generation']>;

/**
 * Scores the answers to some of the prompts as generate and evaluate would with these settings and greedy decoding, with the
 * weights that a model has when it is asked.
 */
export async function answerScoring(
  settings: Settings,
  { records, local }: { readonly records: AsyncIterable<DataRecord>; readonly local: LocalModel },
): Promise<AnswerScoring> {
  const generation = generateConfig(settings);
  const evaluation = evaluateConfig(settings);
  const prompts = chosenPrompts(await readPrompts(records, generation), settings);
  const metrics: Readonly<Partial<Record<string, Metric>>> = answerMetrics;
  return {
    metrics: new Map(
      settings.metrics.map((name) => [name, metrics[name]?.better === 'lower' ? 'lower' : 'higher']),
    ),
    every: settings.every,
    async score(model, { signal, onAnswer }) {
      // Packed once for all answers; the next step may change them again.
      using _weights = quantizeWeights(model);
      const client = localClient({ ...local, model }, { config: generation, signal });
      const answers = new Map<string, Answer>();
      onAnswer(0, prompts.length);
      await client.complete(prompts, (answer) => {
        answers.set(answer.id, answer);
        onAnswer(answers.size, prompts.length);
      });
      const { responseFields } = textGeneration(client, generation);
      const responses = prompts.map((prompt): ScoredResponse => {
        const { id, text, expected, fields } = prompt;
        const answer = answers.get(id);
        if (answer === undefined) throw new Error(`no answer came for ${id}`);
        const written = responseFields(prompt, [answer.text, answer.finishReason]);
        return { response: { id, prompt: text, expected, fields, ...written }, expected: [expected] };
      });
      const scores = scoreResponses(responses, evaluation).metrics;
      return {
        rows: prompts.length,
        tokens: [...answers.values()].reduce((sum, { tokens = 0 }) => sum + tokens, 0),
        metrics: Object.fromEntries(scores.map(({ metric, value }) => [metric, value])),
      };
    },
  };
}

const generateConfig = ({ max_new_tokens, start, stop, batch_size }: Settings): GenerateConfig =>
  fillDefaults(generateStage.schema, {
    ...{ max_new_tokens, start, stop: [...stop], batch_size },
  }) as unknown as GenerateConfig; // what train's schema accepts, generate's does too

const evaluateConfig = ({ metrics, exact_match, bleu, rouge }: Settings): EvaluateConfig =>
  fillDefaults(evaluateStage.schema, {
    ...{ metrics: [...metrics], exact_match, bleu, rouge },
    bootstrap: { rounds: 1 }, // intervals are not shown
  }) as unknown as EvaluateConfig; // what train's schema accepts, evaluate's does too

/** Drawn by the seed, and in the order of the data. */
function chosenPrompts(prompts: readonly Prompt[], { rows, seed }: Settings): readonly Prompt[] {
  const random = new RandomStream(['answered prompts', seed]);
  const drawn = prompts
    .map((prompt, index) => ({ prompt, index, draw: random.uniform() }))
    .sort((a, b) => a.draw - b.draw)
    .slice(0, rows)
    .sort((a, b) => a.index - b.index);
  const chosen = drawn.map(({ prompt }) => prompt);
  if (chosen.length === 0)
    throw new UserError({
      code: 'no-prompts',
      message: 'the port `prompts` has no records',
      help: 'bind a part that is not empty',
    });
  if (chosen.every(({ expected }) => expected === ''))
    throw new UserError({
      code: 'no-expected-answer',
      message: `none of the ${chosen.length} prompts to answer has an expected answer`,
      help: "metrics compare with the response that format's template writes: give it one",
      records: chosen.map(({ id }) => ({ id })),
      port: 'prompts',
    });
  return chosen;
}
