import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import * as generateCode from '../../../src/stages/generate/run-generate.ts';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import * as tokenizeCode from '../../../src/stages/tokenize/run-tokenize.ts';
import { namedTexts } from '../../../src/text/records.ts';
import reference from '../../fixtures/stages/bos/bos.json' with { type: 'json' };
import { openStageRig, type StageRig } from '../stage-rig.ts';
import { generateDefaults } from './generate-defaults.ts';

const tinyLlama = join(import.meta.dirname, '../../fixtures/model/tiny-llama');
const { tokenizers } = reference;
/** The id of `<s>`, which every tokenizer has as a special token. */
export const start = 0;

type Reference = (typeof tokenizers)[keyof typeof tokenizers];

export interface ModelRig extends StageRig {
  readonly generate: (records: readonly Json[], config?: JsonObject) => Promise<readonly JsonObject[]>;
  readonly tokenize: (records: readonly Json[], config?: JsonObject) => Promise<readonly number[][]>;
}

/** The model of the reference with one of its tokenizers. */
export async function openModelRig({
  config,
  processor,
}: Pick<Reference, 'config' | 'processor'>): Promise<ModelRig> {
  const rig = await openStageRig();
  const model = rig.path('model');
  await mkdir(model);
  await cp(tinyLlama, model, { recursive: true });
  const source = await readFile(join(tinyLlama, 'tokenizer.json'), 'utf8');
  const tokenizer = JSON.parse(source.replace('"w0": 0', '"<s>": 0'));
  tokenizer.added_tokens.unshift({ ...tokenizer.added_tokens[0], id: start, content: '<s>' });
  tokenizer.post_processor = processor;
  await writeFile(join(model, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(
    join(model, 'tokenizer_config.json'),
    JSON.stringify({ eos_token: '<|endoftext|>', ...config }),
  );
  const run = async (code: typeof generateCode | typeof tokenizeCode, given: JsonObject, port: string) => {
    const output = code === generateCode ? 'responses' : 'tokens';
    await rm(rig.path('out'), { force: true });
    await rm(rig.path('state'), { recursive: true, force: true });
    await rig.run(code, {
      config: given,
      inputs: { [port]: 'in', [code === generateCode ? 'model' : 'tokenizer']: 'model' },
      outputs: { [output]: 'out' },
      resources: { backend: 'cpu' },
    });
  };
  return {
    ...rig,
    generate: async (records, given = {}) => {
      await rig.writeRecords('in', records);
      await run(generateCode, { ...generateDefaults(given) } as JsonObject, 'prompts');
      return (await rig.readRecords('out')) as JsonObject[];
    },
    tokenize: async (records, given = {}) => {
      await rig.writeRecords('in', records);
      await run(tokenizeCode, given, 'records');
      const made = await portCodecs.tokens.read(rig.path('out')).read();
      return namedTexts(made).map(({ tokens }) => [...tokens]);
    },
  };
}
