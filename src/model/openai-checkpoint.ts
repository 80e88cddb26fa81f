import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../core/index.ts';
import { type Bundle, badCheckpoint, openBundle, readJsonFile } from '../formats/index.ts';
import { ConfigFields, mostLayers } from './config-fields.ts';
import type { ModelFolder } from './folder/model-folder.ts';
import { parameterLayout, parseModelConfig } from './model-config.ts';

/** Opens GPT-2 as OpenAI released it (hparams.json and a checkpoint of TensorFlow's), seen as a folder in Hugging Face's layout. */
export async function openOpenaiCheckpoint(path: string): Promise<ModelFolder> {
  const json = await readHyperparameters(join(path, 'hparams.json'));
  const config = parseModelConfig(path, json);
  const bundle = await openBundle(join(path, await checkpointName(path)));
  try {
    if (config.layers > bundle.shapes.size)
      throw badCheckpoint(path, `claims ${config.layers} layers, but has ${bundle.shapes.size} tensors`);
    const places = placeParameters(path, { bundle, layout: parameterLayout(config) });
    const read = (parameter: string): Promise<Float32Array> =>
      bundle.read(places.get(parameter) ?? parameter);
    return { path, config, read, [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose]() };
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

/** What hparams.json says, as config.json says it. */
async function readHyperparameters(path: string): Promise<JsonObject> {
  const json = await readJsonFile(path);
  if (!isObject(json)) throw badCheckpoint(path, 'is missing or no JSON object');
  const fields = new ConfigFields(path, json);
  const vocabularySize = fields.count('n_vocab');
  const config = {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    vocab_size: vocabularySize,
    n_positions: fields.count('n_ctx'),
    n_embd: fields.count('n_embd'),
    n_layer: fields.count('n_layer', mostLayers),
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

/** Of the latest checkpoint, which the text file `checkpoint` names. */
async function checkpointName(path: string): Promise<string> {
  const text = await readFile(join(path, 'checkpoint'), 'utf8').catch(() => '');
  const name = /^model_checkpoint_path:\s*"(?:.*[/\\])?([\w][\w.-]*)"\s*$/m.exec(text)?.[1];
  return name ?? 'model.ckpt';
}

interface Stored {
  readonly bundle: Bundle;
  readonly layout: ReturnType<typeof parameterLayout>;
}

/** Parameter -> its tensor. Throws where one is missing, misshapen or left over. */
function placeParameters(path: string, { bundle, layout }: Stored): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  const leftOver = new Set(bundle.shapes.keys());
  for (const [parameter, { shape }] of layout) {
    const name = storedName(parameter);
    const found = bundle.shapes.get(name);
    if (found === undefined) throw badCheckpoint(path, `lacks the tensor \`${name}\``);
    // Weights were kernels of convolutions over one position, whose extent, 1, stands first.
    const expected = name.endsWith('/w') ? [1, ...shape] : shape;
    if (found.join() !== expected.join())
      throw badCheckpoint(
        path,
        `has \`${name}\` of shape [${found}], where hparams.json asks for [${expected}]`,
      );
    places.set(parameter, name);
    leftOver.delete(name);
  }
  for (const name of leftOver)
    throw badCheckpoint(path, `has the tensor \`${name}\`, which its hparams.json does not ask for`);
  return places;
}

/** `transformer.h.0.attn.c_attn.weight` -> `model/h0/attn/c_attn/w`. */
function storedName(parameter: string): string {
  const name = parameter.replace(/^transformer\./, '').replace(/^h\.(\d+)/, 'h$1');
  const [, whole = name, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  const place = `model/${whole.replaceAll('.', '/')}`;
  if (whole === 'wte' || whole === 'wpe') return place;
  if (kind === 'bias') return `${place}/b`;
  return whole.includes('ln_') ? `${place}/g` : `${place}/w`;
}
