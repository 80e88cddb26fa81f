import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { UserError } from '../../../src/core/user-error.ts';
import { readModelConfig } from '../../../src/model/folder/model-folder.ts';
import { openAdapterFolder } from '../../../src/model/lora/adapter-folder.ts';
import { parsePeftConfig } from '../../../src/model/lora/peft-config.ts';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures', name);
const llama = await readModelConfig(fixture('model/tiny-llama'));

const parse = (more: JsonObject) =>
  parsePeftConfig('adapter_config.json', {
    json: { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj'], ...more },
    model: llama,
  });

/** The code and message of what is thrown. */
function refusal(work: () => unknown): string {
  try {
    return `no error: ${JSON.stringify(work())}`;
  } catch (error) {
    return error instanceof UserError ? `${error.code}: ${error.message}` : String(error);
  }
}

const q = ['model.layers.0.self_attn.q_proj', 'model.layers.1.self_attn.q_proj'];

describe('the modules of an adapter_config.json are those that PEFT finds', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['by the end of a name after a dot', { target_modules: ['q_proj', 'proj'] }, q],
    ['by a whole name', { target_modules: ['model.layers.1.self_attn.q_proj'] }, q.slice(1)],
    ['by an expression for the whole name', { target_modules: String.raw`model\.layers\.[01]\..*q_proj` }, q],
    ['without those that are excluded', { exclude_modules: ['layers.0.self_attn.q_proj'] }, q.slice(1)],
    ['without those of an expression', { exclude_modules: '.*1.*' }, q.slice(0, 1)],
    ['in one layer', { layers_to_transform: 1 }, q.slice(1)],
    ['in layers after a name', { layers_to_transform: [0], layers_pattern: ['layers'] }, q.slice(0, 1)],
    [
      'with embeddings and the head by their names',
      { target_modules: ['embed_tokens', 'lm_head'] },
      ['model.embed_tokens', 'lm_head'],
    ],
  ])('%s', (_, config, targets) => {
    expect(parse(config).targets).toEqual(targets);
  });

  it('all-linear leaves out the head', () => {
    const { targets } = parse({ target_modules: 'All-Linear' });
    expect(targets).toHaveLength(14);
    expect(targets).not.toContain('lm_head');
  });

  it('the first pattern of a rank counts, also in the middle of an expression', () => {
    const { rankPattern } = parse({ rank_pattern: { 'layers.1.*': 8, q_proj: 3 } });
    const ranks = q.map((name) => rankPattern.find(({ matches }) => matches(name))?.value);
    expect(ranks).toEqual([3, 8]);
  });

  it('saved modules are found in the middle of a word', () => {
    expect(parse({ modules_to_save: ['norm'] }).modulesToSave).toEqual([
      'model.layers.0.input_layernorm',
      'model.layers.0.post_attention_layernorm',
      'model.layers.1.input_layernorm',
      'model.layers.1.post_attention_layernorm',
      'model.norm',
    ]);
  });
});

describe('an adapter_config.json is refused', () => {
  it.each<[string, JsonObject]>([
    ['`peft_type: "IA3"` is not supported', { peft_type: 'IA3' }],
    ['`task_type: "SEQ_CLS"` is not supported', { task_type: 'SEQ_CLS' }],
    ['`init_lora_weights: "pissa"` is not supported', { init_lora_weights: 'pissa' }],
    [
      '`trainable_token_indices` must be a list of different ids, or a map of such lists, and is [1,1]',
      { trainable_token_indices: [1, 1] },
    ],
    ['`target_parameters` is not supported', { target_parameters: ['experts.down_proj'] }],
    ['`lora_bias` is not supported', { lora_bias: true }],
    ['`layer_replication` is not supported', { layer_replication: [[0, 1]] }],
    ['`of_tomorrow` is not supported', { of_tomorrow: { much: 1 } }],
    ['it has no `target_modules`', { target_modules: null }],
    ['`r` must be a whole number above 0, and is 1.5', { r: 1.5 }],
    [
      '`lora_alpha` must be a number above 0, and is "8"; `rank_pattern` must be a map from patterns to whole numbers above 0, and is {"q":0}',
      { lora_alpha: '8', rank_pattern: { q: 0 } },
    ],
  ])('with all that is wrong: %s', (problem, config) => {
    expect(refusal(() => parse(config))).toBe(
      `unsupported-adapter: the adapter of adapter_config.json cannot be used: ${problem}`,
    );
  });

  it.each([
    [String.raw`\Aq_proj\Z`, 'has an escape that is not supported'],
    ['(?P<name>q_proj)', 'has a group that is not supported'],
    ['(?i)Q_PROJ', 'has a group that is not supported'],
    ['.*+q_proj', 'has a possessive quantifier'],
    ['q{,3}_proj', 'has a quantifier without a lower limit'],
    ['(q_proj', 'is not valid'],
    ['q'.repeat(10_001), 'is too long'],
  ])('with an expression that JavaScript reads otherwise: %s', (expression, problem) => {
    expect(refusal(() => parse({ target_modules: expression }))).toBe(
      `bad-pattern: the regular expression \`${expression.slice(0, 200)}\` ${problem}`,
    );
  });

  it('with an expression that takes endless time', () => {
    expect(refusal(() => parse({ target_modules: '(?:(?:[a-z0-9_.]+)+)+!' }))).toBe(
      'endless-pattern: the patterns of adapter_config.json take more than 2 s to match the names of the modules',
    );
  });
});

describe('an adapter is refused', () => {
  let folder = '';
  const at = (name: string) => join(folder, name);
  const opened = async (change: (config: JsonObject) => JsonObject, model = llama) => {
    const config = JSON.parse(await readFile(fixture('adapters/layers/adapter_config.json'), 'utf8'));
    await writeFile(at('adapter_config.json'), JSON.stringify(change(config)));
    return openAdapterFolder(folder, model).then(
      async (source) => {
        await source[Symbol.asyncDispose]();
        return [...source.layout.targets.keys()];
      },
      (error: unknown) => (error instanceof UserError ? `${error.code}: ${error.message}` : error),
    );
  };
  const misfit = (what: string) =>
    `adapter-misfit: the adapter in ${at('adapter_model.safetensors')} does not fit the model: ${what}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adapter-'));
    await cp(fixture('adapters/layers'), folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('unless its tensors fit', async () => {
    expect(await opened((config) => config)).toEqual([
      'model.layers.1.self_attn.k_proj',
      'model.layers.1.mlp.up_proj',
    ]);
  });

  it('if tensors are missing or left over', async () => {
    const tensor = (name: string) => `\`base_model.model.model.layers.1.${name}.weight\``;
    expect(await opened((config) => ({ ...config, target_modules: ['up_proj', 'q_proj'] }))).toBe(
      misfit(
        `${tensor('self_attn.q_proj.lora_A')} is missing; ${tensor('self_attn.q_proj.lora_B')} is missing; ${tensor('self_attn.k_proj.lora_A')} belongs to nothing in this model; and 1 more`,
      ),
    );
  });

  it('if a rank is another', async () => {
    expect(await opened((config) => ({ ...config, r: 4, target_modules: ['up_proj', 'k_proj'] }))).toMatch(
      /has the shape \[2,16\], and \[4,16\] is needed/,
    );
  });

  it('if the model is another', async () => {
    const gpt2 = await readModelConfig(fixture('training/tiny-gpt2'));
    expect(await opened((config) => config, gpt2)).toMatch(
      /^adapter-misfit: .*it matches nothing in this model/,
    );
  });

  it('if its weights are missing, or only there in a format that runs code', async () => {
    const [from, to] = [at('adapter_model.safetensors'), at('adapter_model.bin')];
    await rename(from, to);
    expect(await opened((config) => config)).toBe(`no-adapter: ${folder} has no adapter_model.safetensors`);
    await rename(to, from);
  });
});
