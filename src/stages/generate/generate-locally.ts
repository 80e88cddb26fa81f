import { holdWeights } from '../../model/hold-weights.ts';
import { checkGenerationMemory } from '../../model/memory/check-generation-memory.ts';
import type { StageAction } from '../../runtime/stage/stage-action.ts';
import { expectedMemory } from '../models/expected-memory.ts';
import { type LocalModel, openLocalModel } from '../models/open-local-model.ts';
import { answerLocally } from './answer-locally.ts';
import { askAll } from './ask-all.ts';
import type { Generated, Generation } from './generation.ts';
import { identityOf, type Question } from './question.ts';
import { rateAllChoices } from './rate/rate-all-choices.ts';
import { rollAll } from './rate/roll-all.ts';
import { scoreAll } from './score-all.ts';

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
  using _weights = holdWeights(local.model, config.precision);
  const { tensorBackend } = local;
  // The rows that are computed together are part of a computation's shape, and floats may follow it.
  const fingerprint = JSON.stringify({ ...tensorBackend, batch_size: config.batch_size });
  const { responses, measurements } = await generateWith(generation, { local, fingerprint });
  const peak_memory = process.resourceUsage().maxRSS * 1024;
  return { responses, measurements: { ...tensorBackend, ...measurements, ...expected, peak_memory } };
}

/** A token has at least one byte of text, and four as a rule. */
const longestPrompt = (questions: readonly Question[]): number =>
  Math.ceil(questions.reduce((longest, { prompt }) => Math.max(longest, prompt.length), 0) / 4);

interface ModelAtHand {
  readonly local: LocalModel;
  /** Names what computes, beside the key. */
  readonly fingerprint: string;
}

const identity = ({ given }: Question): string => identityOf(given);

function generateWith(generation: Generation, { local, fingerprint }: ModelAtHand): Promise<Generated> {
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
