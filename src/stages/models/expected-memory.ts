import { readModelConfig } from '../../model/folder/open-model-folder.ts';
import { memoryLimit } from '../../model/memory/available-memory.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { StageAction } from '../../runtime/stage/stage-action.ts';
import { chosenBackend } from './chosen-backend.ts';
import { endpointModel } from './endpoint-model.ts';

/** A check that gives the bytes that are expected, or throws where they are more than the limit. */
type Check = (model: ModelConfig, limit: number) => number;

/** Asks the check before anything of a model is loaded, where the engine is the one whose memory is known. */
export async function expectedMemory(
  folder: string,
  resources: StageAction['resources'],
  check: Check,
): Promise<{ readonly expected_memory?: number }> {
  if (chosenBackend(resources).backend !== 'onnx' || (await endpointModel(folder)) !== undefined) return {};
  const expected = check(await readModelConfig(folder), memoryLimit(resources.memory));
  return { expected_memory: Math.round(expected) };
}
