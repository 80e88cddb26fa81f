import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../core/index.ts';
import { type Bundle, badCheckpoint, openBundle, readJsonFile } from '../formats/index.ts';
import { ConfigFields, maxLayers } from './config-fields.ts';
import type { ModelFolder } from './folder/model-folder.ts';
import { type ModelConfig, parameterLayout, parseModelConfig } from './model-config.ts';

/** Opens GPT-2 as OpenAI released it (hparams.json and a TensorFlow checkpoint), presented as a folder in Hugging Face's layout. */
export async function openOpenaiCheckpoint(path: string): Promise<ModelFolder> {
  const json = await readHyperparameters(join(path, 'hparams.json'));
  const config = parseModelConfig(path, json);
  const bundle = await openBundle(join(path, await checkpointName(path)));
  try {
    if (config.layers > bundle.shapes.size)
      throw badCheckpoint(path, `claims ${config.layers} layers, but has ${bundle.shapes.size} tensors`);
    const stored = findParameters(path, bundle, config);
    const read = (parameter: string): Promise<Float32Array> =>
      bundle.read(stored.get(parameter) ?? parameter);
    return { path, config, read, [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose]() };
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

/** The config.json that corresponds to hparams.json. */
async function readHyperparameters(path: string): Promise<JsonObject> {
  const json = await readJsonFile(path);
  if (!isObject(json)) throw badCheckpoint(path, 'is missing or is not a JSON object');
  const fields = new ConfigFields(path, json);
  const vocabularySize = fields.count('n_vocab');
  const config = {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    vocab_size: vocabularySize,
    n_positions: fields.count('n_ctx'),
    n_embd: fields.count('n_embd'),
    n_layer: fields.count('n_layer', maxLayers),
    n_head: fields.count('n_head'),
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    torch_dtype: 'float32',
    bos_token_id: vocabularySize - 1,
    eos_token_id: vocabularySize - 1,
  };
  fields.refuseOthers([]);
  return config;
}

/** The name of the latest checkpoint, from the text file `checkpoint`. */
async function checkpointName(path: string): Promise<string> {
  const text = await readFile(join(path, 'checkpoint'), 'utf8').catch(() => '');
  const name = /^model_checkpoint_path:\s*"(?:.*[/\\])?([\w][\w.-]*)"\s*$/m.exec(text)?.[1];
  return name ?? 'model.ckpt';
}

/** Parameter -> its tensor's name. Throws if one is missing, has another shape or is left over. */
function findParameters(path: string, { shapes }: Bundle, config: ModelConfig): ReadonlyMap<string, string> {
  const stored = new Map<string, string>();
  const leftOver = new Set(shapes.keys());
  for (const [parameter, { shape }] of parameterLayout(config)) {
    const name = storedName(parameter);
    const found = shapes.get(name);
    if (found === undefined) throw badCheckpoint(path, `lacks the tensor \`${name}\``);
    // Weights are kernels of convolutions over one position; its size, 1, comes first.
    const expected = name.endsWith('/w') ? [1, ...shape] : shape;
    if (found.join() !== expected.join())
      throw badCheckpoint(
        path,
        `has \`${name}\` of shape [${found}], but hparams.json asks for [${expected}]`,
      );
    stored.set(parameter, name);
    leftOver.delete(name);
  }
  for (const name of leftOver)
    throw badCheckpoint(path, `has the tensor \`${name}\`, which its hparams.json does not ask for`);
  return stored;
}

/** `transformer.h.0.attn.c_attn.weight` -> `model/h0/attn/c_attn/w`. */
function storedName(parameter: string): string {
  const name = parameter.replace(/^transformer\./, '').replace(/^h\.(\d+)/, 'h$1');
  const [, whole = name, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  const path = `model/${whole.replaceAll('.', '/')}`;
  if (whole === 'wte' || whole === 'wpe') return path;
  if (kind === 'bias') return `${path}/b`;
  return whole.includes('ln_') ? `${path}/g` : `${path}/w`;
}
