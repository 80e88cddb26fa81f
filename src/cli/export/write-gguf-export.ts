import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../core/index.ts';
import { type GgufValue, writeGguf } from '../../formats/index.ts';
import { ggufModel, type ModelFolder, openGgufAdapter, readEndTokens } from '../../model/index.ts';
import { type GgufVocabulary, ggufVocabulary } from '../../text/index.ts';
import { type ExportOptions, ggufFile, ggufType, isGgufAdapter } from './export-options.ts';
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
  const { model, options } = given;
  const path = join(folder, ggufFile(options));
  if (isGgufAdapter(options.format)) {
    await using adapter = await openGgufAdapter({
      folder: join(model.path, 'adapter'),
      config: model.config,
      name: given.name,
    });
    await writeGguf(path, adapter);
    if (options.format === 'gguf-lora') return [];
    const { metadata } = await vocabularyOf(model);
    return await writeModelfile(folder, { ...given, metadata });
  }
  const vocabulary = await vocabularyOf(model);
  const file = ggufModel({ ...given, type: ggufType(options), tokenizer: vocabulary.metadata });
  const notes = [...vocabulary.notes, ...file.notes];
  if (options.format === 'ollama') notes.push(...(await writeModelfile(folder, { ...given, ...file })));
  await writeGguf(path, file);
  return notes;
}

async function vocabularyOf({
  path,
  config: { vocabularySize, json },
}: ModelFolder): Promise<GgufVocabulary> {
  return await ggufVocabulary({
    folder: path,
    rows: vocabularySize,
    beginning: typeof json.bos_token_id === 'number' ? json.bos_token_id : undefined,
    ends: await readEndTokens(path),
  });
}

async function writeModelfile(
  folder: string,
  {
    model,
    options,
    generation,
    metadata,
  }: GgufExport & { readonly metadata: ReadonlyMap<string, GgufValue> },
): Promise<readonly string[]> {
  const { text, notes } = await modelfile({
    folder: model.path,
    from: options.format === 'ollama' ? `./${ggufFile(options)}` : (options.base ?? ''),
    ...(options.format === 'ollama-lora' && { adapter: `./${ggufFile(options)}` }),
    generation,
    metadata,
  });
  await writeFile(join(folder, 'Modelfile'), text);
  return notes;
}
