import { writeFile } from 'node:fs/promises';

import { join } from 'node:path';
import type { JsonObject } from '../../core/index.ts';
import { writeGguf } from '../../formats/index.ts';
import { ggufModel, type ModelFolder, openGgufAdapter, readEndTokens } from '../../model/index.ts';
import { ggufVocabulary } from '../../text/index.ts';
import { type ExportOptions, ggufFile, ggufType } from './export-options.ts';
import { modelfile } from './modelfile.ts';

interface GgufExport {
  readonly model: ModelFolder;
  readonly options: ExportOptions;
  /** For people. */
  readonly name: string;
  /** A generation_config.json. */
  readonly generation: JsonObject;
}

/** Fills a folder with a GGUF file, and for Ollama a Modelfile. Returns notes for the user. */
export async function writeGgufExport(folder: string, given: GgufExport): Promise<readonly string[]> {
  const { model, options, name, generation } = given;
  const path = join(folder, ggufFile(options));
  if (options.format === 'gguf-lora') {
    await using adapter = await openGgufAdapter({
      folder: join(model.path, 'adapter'),
      config: model.config,
      name,
    });
    await writeGguf(path, adapter);
    return [];
  }
  const ends = await readEndTokens(model.path);
  const { vocabularySize, json } = model.config;
  const vocabulary = await ggufVocabulary({
    folder: model.path,
    rows: vocabularySize,
    beginning: typeof json.bos_token_id === 'number' ? json.bos_token_id : undefined,
    ends,
  });
  const file = ggufModel({ ...given, type: ggufType(options), tokenizer: vocabulary.metadata });
  const notes = [...vocabulary.notes, ...file.notes];
  if (options.format === 'ollama') {
    const { text, notes: further } = await modelfile({
      folder: model.path,
      file: ggufFile(options),
      generation,
      metadata: file.metadata,
    });
    await writeFile(join(folder, 'Modelfile'), text);
    notes.push(...further);
  }
  await writeGguf(path, file);
  return notes;
}
