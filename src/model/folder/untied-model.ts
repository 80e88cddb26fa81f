import { type ModelConfig, parseModelConfig } from '../model-config.ts';
import { checkpointNames } from './checkpoint-names.ts';
import type { ModelFolder } from './open-model-folder.ts';
import type { ModelToWrite } from './write-model-folder.ts';

/** The same model with a head of its own, which starts as a copy of the token embedding and is then trained apart. */
export function untiedModel({ path, config, read }: ModelFolder): ModelToWrite {
  const { head, embedding } = checkpointNames(config).tiedHead;
  const readUntied = (name: string) => read(name === head && config.tied ? embedding : name);
  return { config: untiedConfig(path, config), read: readUntied };
}

const untiedConfig = (path: string, { json }: ModelConfig): ModelConfig =>
  parseModelConfig(path, { ...json, tie_word_embeddings: false });
