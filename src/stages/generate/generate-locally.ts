import type { StageAction } from '../../runtime/stage/stage-action.ts';
import { openLocalModel } from '../models/open-local-model.ts';
import { answerLocally } from './answer-locally.ts';
import { askAll } from './ask-all.ts';
import type { Generated, Generation } from './generation.ts';
import { scoreAll } from './score-all.ts';

export interface LocalGeneration extends Generation {
  readonly folder: string;
  readonly resources: StageAction['resources'];
}

/** Lets the model in a folder answer or rate. */
export async function generateLocally(generation: LocalGeneration): Promise<Generated> {
  const { config, folder, resources } = generation;
  using local = await openLocalModel(folder, resources);
  const { tensorBackend } = local;
  // The rows that are computed together are part of a computation's shape, and floats may follow it.
  const fingerprint = JSON.stringify({ ...tensorBackend, batch_size: config.batch_size });
  const { responses, measurements } =
    config.mode === 'score'
      ? await scoreAll(generation, { local, fingerprint })
      : await askAll(generation, { source: answerLocally(local, config.batch_size), fingerprint });
  const peak_memory = process.resourceUsage().maxRSS * 1024;
  return { responses, measurements: { ...tensorBackend, ...measurements, peak_memory } };
}
