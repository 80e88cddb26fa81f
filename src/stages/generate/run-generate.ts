import { UserError } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import { checkGenerationMemory, quantizeWeights } from '../../model/index.ts';
import type { StageAction } from '../../runtime/index.ts';
import { implementStage } from '../implement-stage.ts';
import { endpointModel } from '../models/endpoint-model.ts';
import { expectedMemory, type LocalModel, openLocalModel } from '../models/local-model.ts';
import { answerLocally, askAll } from './answers.ts';
import { rateAllChoices } from './choices.ts';
import type { AnswerSource, Generated, Generation } from './generation.ts';
import { identityOf, type Question, readQuestions } from './question.ts';
import { rollAll } from './rolling.ts';
import { scoreAll } from './scores.ts';

/** Answers each prompt or rates its response, with the model in the folder or behind the endpoint that the folder names. */
export const { run } = implementStage<GenerateConfig>()({
  inputs: { model: 'model', prompts: 'records' },
  outputs: { responses: 'responses' },
  async run({ config, inputs, outputs, statePath, memoPath, resources, host }) {
    const folder = inputs.model.path;
    const questions = withSamples(await readQuestions(inputs.prompts, config.start), config.samples);
    const generation = { config, questions, statePath, memoPath, host };
    const served = await endpointModel(folder);
    const { responses, measurements } =
      served === undefined
        ? await generateLocally({ ...generation, folder, resources })
        : await generateBehindEndpoint({ ...generation, model: served });
    for (const response of responses) await outputs.responses.write(response);
    return measurements;
  },
});

/** Each question as often as it is to be answered; the first keeps its id, so that its answer is found again. */
export function withSamples(questions: readonly Question[], samples: number): readonly Question[] {
  if (samples === 1) return questions;
  const asked = questions.flatMap((question) =>
    Array.from({ length: samples }, (_, sample) => ({
      ...question,
      sample,
      id: sample === 0 ? question.id : `${question.id}#${sample + 1}`,
    })),
  );
  const ids = new Set<string>();
  for (const { id } of asked) {
    if (ids.has(id))
      throw new UserError({
        code: 'duplicate-id',
        message: `a record and a sample of another have the id ${id}`,
      });
    ids.add(id);
  }
  return asked;
}

/** Lets a model behind an endpoint answer; `model` is its name there. */
export async function generateBehindEndpoint(generation: Generation & { model: string }): Promise<Generated> {
  const { config, model } = generation;
  if (config.mode !== 'text')
    throw new UserError({
      code: 'endpoint-score',
      message: `the model \`${model}\` is behind an endpoint, which cannot rate given responses`,
      help: 'rate with a model folder, or let the endpoint answer with `mode: text`',
    });
  if (config.precision !== 'float32')
    throw new UserError({
      code: 'endpoint-precision',
      message: `the model \`${model}\` is behind an endpoint, which decides by itself how it computes`,
      help: 'leave out `precision`',
    });
  const { askEndpoint } = await import('./endpoint/ask-endpoint.ts');
  const source: AnswerSource = (asking) => askEndpoint({ ...asking, model, settings: config.endpoint });
  return askAll(generation, { source, fingerprint: 'endpoint', identity: identityBehindEndpoint });
}

/** An endpoint reads turns where there are some, and writes them with a template of its own. */
export const identityBehindEndpoint = ({ given, conversation }: Question): string =>
  conversation === undefined ? identityOf(given) : `turns:${JSON.stringify(conversation)}`;

export interface LocalGeneration extends Generation {
  readonly folder: string;
  readonly resources: StageAction['resources'];
}

/** Lets the model in a folder answer or rate. */
export async function generateLocally(generation: LocalGeneration): Promise<Generated> {
  const { config, questions, folder, resources, host } = generation;
  const slots = config.max_new_tokens + longestPrompt(questions);
  const expected = await expectedMemory(folder, resources, (model, limit) =>
    checkGenerationMemory({ model, rows: config.batch_size, slots, limit }),
  );
  using local = await openLocalModel(folder, { resources, host });
  using _weights = quantizeWeights(local.model, config.precision);
  const { tensorBackend } = local;
  // The rows that are computed together are part of a computation's shape, and floats may follow it.
  const fingerprint = JSON.stringify({ ...tensorBackend, batch_size: config.batch_size });
  const { responses, measurements } = await generateWith(generation, { local, fingerprint });
  const peak_memory = process.resourceUsage().maxRSS * 1024;
  return { responses, measurements: { ...tensorBackend, ...measurements, ...expected, peak_memory } };
}

/** A token has at least one byte of text, and four as a rule. */
export const longestPrompt = (questions: readonly Question[]): number =>
  Math.ceil(questions.reduce((longest, { prompt }) => Math.max(longest, prompt.length), 0) / 4);

export interface ModelAtHand {
  readonly local: LocalModel;
  /** Names what computes, beside the key. */
  readonly fingerprint: string;
}

export const identity = ({ given }: Question): string => identityOf(given);

export function generateWith(
  generation: Generation,
  { local, fingerprint }: ModelAtHand,
): Promise<Generated> {
  const { config } = generation;
  switch (config.mode) {
    case 'text':
      return askAll(generation, { source: answerLocally(local, config), fingerprint, identity });
    case 'score':
      return scoreAll(generation, { local, fingerprint });
    case 'choices':
      return rateAllChoices(generation, { local, fingerprint });
    case 'rolling':
      return rollAll(generation, { local, fingerprint });
    default:
      return config.mode satisfies never;
  }
}
