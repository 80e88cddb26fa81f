import { join } from 'node:path';
import { isList, isObject, type JsonObject, UserError } from '../../core/index.ts';
import { type GgufToWrite, type GgufValue, openSafetensors, readJsonFile } from '../../formats/index.ts';
import type { ModelConfig } from '../model-config.ts';
import { permute, storedParameter } from './gguf-architecture.ts';
import { architectureNamed } from './gguf-model.ts';
import { ggufHyperparameters } from './hyperparameters.ts';

/** A GGUF file to write, whose tensors are read from an open file. */
interface GgufAdapter extends GgufToWrite, AsyncDisposable {}

/**
 * A LoRA adapter in PEFT's layout as a GGUF file, for `writeGguf`; llama.cpp adds it to the base model. Throws a UserError
 * if the adapter does more than add B A to projections.
 */
export async function openGgufAdapter({
  folder,
  config,
  name,
}: {
  /** Has adapter_config.json and adapter_model.safetensors. */
  readonly folder: string;
  /** Of the base. */
  readonly config: ModelConfig;
  /** For people. */
  readonly name: string;
}): Promise<GgufAdapter> {
  const path = join(folder, 'adapter_config.json');
  const settings = await readJsonFile(path);
  const { architecture, metadata: hyperparameters } = ggufHyperparameters(config);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { text: architecture }],
    ['general.type', { text: 'adapter' }],
    ['general.name', { text: name }],
    ['general.file_type', { uint32: 0 }],
    ['adapter.type', { text: 'lora' }],
    ['adapter.lora.alpha', { float32: alphaOf(path, isObject(settings) ? settings : {}) }],
    ...hyperparameters,
  ]);
  const file = await openSafetensors(join(folder, 'adapter_model.safetensors'));
  try {
    const tensors = [...file.tensors].map(([stored, { shape }]) => {
      const { module, part } = partOf(path, stored);
      const written = storedParameter(architectureNamed(architecture), module, config);
      const { name: base, permutation } = written;
      if (written.expert !== undefined) throw unwritable(path, 'it adapts single experts');
      if (config.tied && base === 'output.weight')
        throw unwritable(
          path,
          'it adapts a head that is tied to the embedding, which the base has no tensor for',
        );
      // A stored weight that is transposed has its adapter the usual way round: A is [r, in] and B [out, r].
      const reorders = part === 'b' && typeof permutation === 'object';
      return {
        name: `${base}.lora_${part}`,
        shape,
        format: 'F32' as const,
        read: async () => {
          const values = await file.readFloat32(stored);
          return reorders ? permute({ values, shape, permutation }) : values;
        },
      };
    });
    return { metadata, tensors, [Symbol.asyncDispose]: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** llama.cpp scales B A by alpha / r, also where the adapter's scale is another. */
function alphaOf(path: string, settings: JsonObject): number {
  const { r, lora_alpha: alpha, use_rslora: isStabilized } = settings;
  if (typeof r !== 'number' || typeof alpha !== 'number')
    throw unwritable(path, 'it has no `r` and `lora_alpha`');
  const unsupported = Object.entries(settings).find(([field, value]) => {
    if (field === 'use_dora') return value === true;
    if (field === 'bias') return value !== 'none';
    if (!['rank_pattern', 'alpha_pattern', 'modules_to_save'].includes(field)) return false;
    return isList(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
  });
  if (unsupported !== undefined) throw unwritable(path, `GGUF has no place for its \`${unsupported[0]}\``);
  return isStabilized === true ? alpha * Math.sqrt(r) : alpha;
}

/** The parameter that a tensor of the adapter belongs to. */
function partOf(path: string, tensor: string): { readonly module: string; readonly part: 'a' | 'b' } {
  const [, projection, part] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(tensor) ?? [];
  if (projection === undefined) throw unwritable(path, `GGUF has no place for its tensor \`${tensor}\``);
  return { module: `${projection}.weight`, part: part === 'A' ? 'a' : 'b' };
}

const unwritable = (path: string, why: string): UserError =>
  new UserError({
    code: 'unsupported-adapter',
    message: `the adapter of ${path} cannot be written as GGUF: ${why}`,
    help: 'export the merged model with --format gguf',
  });
