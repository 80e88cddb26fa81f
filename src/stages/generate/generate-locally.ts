import type { TextScore } from '../../model/generation/score-texts.ts';
import type { StageAction } from '../../runtime/stage/stage-action.ts';
import { UserError } from '../../user-error.ts';
import { type LocalModel, openLocalModel } from '../models/open-local-model.ts';
import { answerLocally } from './answer-locally.ts';
import { askAll } from './ask-all.ts';
import type { Generated, Generation } from './generation.ts';
import type { Question } from './question.ts';
import { scoreQuestions } from './score-questions.ts';
import { Tally } from './tally.ts';

export interface LocalGeneration extends Generation {
  readonly folder: string;
  readonly resources: StageAction['resources'];
}

/** Lets the model in a folder answer or rate. */
export async function generateLocally(generation: LocalGeneration): Promise<Generated> {
  const { config, folder, resources } = generation;
  using local = await openLocalModel(folder, resources);
  const { responses, measurements } =
    config.mode === 'score'
      ? await scoreAll(generation, local)
      : await askAll(generation, {
          source: answerLocally(local, config.batch_size),
          fingerprint: JSON.stringify(local.tensorBackend),
        });
  const peak_memory = process.resourceUsage().maxRSS * 1024;
  return { responses, measurements: { ...local.tensorBackend, ...measurements, peak_memory } };
}

async function scoreAll({ config, questions, host }: Generation, local: LocalModel): Promise<Generated> {
  refuseWithoutResponses(questions);
  const scores = new Map<string, TextScore>();
  const tally = new Tally(host, { total: questions.length });
  await scoreQuestions(local, {
    questions,
    batchSize: config.batch_size,
    signal: host.signal,
    onScore: (score) => {
      scores.set(score.id, score);
      tally.add(score.tokens);
    },
  });
  const responses = questions.map(({ id, prompt, expected, fields }) => {
    const score = scores.get(id);
    if (score === undefined) throw new Error(`No score was made for ${id}`);
    return {
      id,
      prompt,
      expected,
      fields,
      log_likelihood: score.logLikelihood,
      scored_tokens: score.tokens,
    };
  });
  return { responses, measurements: tally.measurements() };
}

/** Without any response only the ends of the texts would be rated, and the losses would look like others. */
function refuseWithoutResponses(questions: readonly Question[]): void {
  if (questions.length === 0 || questions.some(({ expected }) => expected !== '')) return;
  throw new UserError({
    code: 'no-response',
    message: `none of the ${questions.length} records has a response to rate`,
    help: 'give the template of format a `response`, or let the model answer with `mode: text`',
  });
}
