import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isList, isObject, type JsonObject } from '../../core/index.ts';
import { openSafetensors, readJsonFile, type TensorToWrite, writeSafetensors } from '../../formats/index.ts';
import { type ModelFolder, readNewTokens, tokenModules, trainedRowsName } from '../../model/index.ts';

interface AdapterExport {
  /** The merged model, in whose folder the adapter is. */
  readonly model: ModelFolder;
  /** The base's name for PEFT, which a stage does not know. */
  readonly base: string | undefined;
}

/** The start of all names in PEFT's file. */
const prefix = 'base_model.model.';

/**
 * Writes the files that PEFT loads. An adapter of a model with new tokens gets their rows of the embedding and the head, as
 * PEFT's trainable tokens, unless it has those tables itself: the published base has no such rows. Returns notes for the user.
 */
export async function exportAdapter(
  folder: string,
  { model, base }: AdapterExport,
): Promise<readonly string[]> {
  const adapter = join(model.path, 'adapter');
  const read = await readJsonFile(join(adapter, 'adapter_config.json'));
  const config = isObject(read) ? read : {};
  const weights = join(adapter, 'adapter_model.safetensors');
  const { rows, notes } = await missingRows(model, { config, weights });
  const target = join(folder, 'adapter_model.safetensors');
  if (rows.length === 0) {
    await copyFile(weights, target);
    await chmod(target, 0o644); // results in the store are read-only
  } else await writeWithRows(target, { model, weights, rows });
  const indices = Object.fromEntries(rows.map(({ module, ids }) => [module, ids]));
  const settings = {
    ...config,
    base_model_name_or_path: base ?? null,
    ...(rows.length > 0 && { trainable_token_indices: indices }),
  };
  await writeFile(join(folder, 'adapter_config.json'), `${JSON.stringify(settings, undefined, 2)}\n`);
  return notes;
}

interface ModuleRows {
  readonly module: string;
  readonly ids: readonly number[];
}

/** The rows that the published base lacks, with those that the adapter trained. */
async function missingRows(
  model: ModelFolder,
  { config, weights }: { readonly config: JsonObject; readonly weights: string },
): Promise<{ readonly rows: readonly ModuleRows[]; readonly notes: readonly string[] }> {
  const added = await readNewTokens(model.path);
  if (added === undefined) return { rows: [], notes: [] };
  await using file = await openSafetensors(weights);
  const modules = tokenModules(model.config);
  const has = (module: string, ...parts: readonly string[]) =>
    parts.some((part) => file.tensors.has(`${prefix}${module}.${part}`));
  const whole = modules.filter((module) => has(module, 'weight', 'base_layer.weight'));
  const adapted = modules.filter((module) => has(module, 'lora_embedding_A', 'lora_A.weight'));
  if (whole.length === modules.length && adapted.length === 0) return { rows: [], notes: [] };
  if (whole.length + adapted.length > 0)
    return {
      rows: [],
      notes: [
        'the adapter changes the embedding or the head as a whole, so it cannot bring the rows of new tokens along: export the base too, and load the adapter on that',
      ],
    };
  const trained = isObject(config.trainable_token_indices) ? config.trainable_token_indices : {};
  const rows = modules.map((module) => {
    const own = trained[module];
    return { module, ids: [...new Set([...(isList(own) ? own.map(Number) : []), ...added.ids.values()])] };
  });
  return { rows, notes: [] };
}

/** The adapter's tensors, and rows of the merged model's tables. */
async function writeWithRows(
  target: string,
  {
    model,
    weights,
    rows,
  }: { readonly model: ModelFolder; readonly weights: string; readonly rows: readonly ModuleRows[] },
): Promise<void> {
  await using file = await openSafetensors(weights);
  const width = model.config.hiddenSize;
  const own = rows.map(
    ({ module, ids }): TensorToWrite => ({
      ...{ name: `${prefix}${trainedRowsName(module)}`, dtype: 'F32', shape: [ids.length, width] },
      async read() {
        const table = await model.read(`${module}.weight`);
        const chosen = new Float32Array(ids.length * width);
        for (const [row, id] of ids.entries())
          chosen.set(table.subarray(id * width, (id + 1) * width), row * width);
        return chosen;
      },
    }),
  );
  const names = new Set(own.map(({ name }) => name));
  const others = [...file.tensors].filter(([name]) => !names.has(name));
  await writeSafetensors(target, {
    tensors: [
      ...others.map(
        ([name, { shape }]): TensorToWrite => ({
          ...{ name, dtype: 'F32', shape, read: () => file.readFloat32(name) },
        }),
      ),
      ...own,
    ],
    metadata: { format: 'pt' },
  });
}
