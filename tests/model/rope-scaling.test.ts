import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { ConfigFields } from '../../src/model/config-fields.ts';
import { type RotaryFactors, ropeScaling } from '../../src/model/gguf/rope-scaling.ts';
import { parseModelConfig } from '../../src/model/model-config.ts';

interface Sizes {
  readonly base?: number;
  readonly rotaryDim?: number;
  readonly contextLength?: number;
}

/** What config.json has for keys below `llama.rope.scaling.` and factors in tensors. */
function scalingOf(keys: JsonObject, factors: RotaryFactors = {}, sizes: Sizes = {}): JsonObject {
  const metadata = Object.entries(keys).map(([key, value]) => [`llama.rope.scaling.${key}`, value]);
  const fields = new ConfigFields('m.gguf', Object.fromEntries(metadata));
  const scaling = { architecture: 'llama', factors, contextLength: 4096, base: 10_000, rotaryDim: 8 };
  return ropeScaling(fields, { ...scaling, ...sizes });
}

/** Llama 3.1's factors, by the formula of llama.cpp's convert_hf_to_gguf.py. */
function llama3Factors(
  factor: number,
  { base, rotaryDim }: Required<Omit<Sizes, 'contextLength'>>,
): number[] {
  return Array.from({ length: rotaryDim / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * base ** ((2 * pair) / rotaryDim);
    if (wavelength < 8192 / 4) return 1;
    if (wavelength > 8192) return factor;
    const smooth = (8192 / wavelength - 1) / (4 - 1);
    return Math.fround(1 / ((1 - smooth) / factor + smooth));
  });
}

test('YaRN has its factor, its original length and the bounds of its ramp', () => {
  const yarn = { type: 'yarn', factor: 4, original_context_length: 1024, finetuned: true };
  const expected = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 1024 };
  expect(scalingOf(yarn)).toEqual({ rope_scaling: expected });
  expect(scalingOf({ ...yarn, yarn_beta_fast: 16, yarn_beta_slow: 2, attn_factor: 1 })).toEqual({
    rope_scaling: { ...expected, beta_fast: 16, beta_slow: 2 },
  });
});

test.each([
  { model: 'Llama 3.1 8B', factor: 8, sizes: { base: 500_000, rotaryDim: 128 } },
  { model: 'Llama 3.2 1B', factor: 32, sizes: { base: 500_000, rotaryDim: 64 } },
])('the factors of $model are those of its config.json', ({ factor, sizes }) => {
  expect(scalingOf({}, { all: llama3Factors(factor, sizes) }, sizes)).toEqual({
    rope_scaling: {
      rope_type: 'llama3',
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  });
});

test('other factors for all texts are a LongRoPE for which all texts are alike', () => {
  const all = [1, 1.5, 7, 2];
  const scaling = scalingOf({}, { all });
  expect(scaling).toEqual({
    rope_scaling: {
      ...{ rope_type: 'longrope', factor: 1, attention_factor: 1 },
      ...{ original_max_position_embeddings: 4096, short_factor: all, long_factor: all },
    },
  });
  const sizes = { hidden_size: 16, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2 };
  const json = { model_type: 'llama', vocab_size: 9, max_position_embeddings: 4096, ...sizes, ...scaling };
  expect(parseModelConfig('m', json)).toMatchObject({
    contextLength: 4096,
    rotary: { scaling: { kind: 'longrope', shortFactors: all, longFactors: all, attentionFactor: 1 } },
  });
});

test('LongRoPE has its factors, and a scale of attention where it is not the usual one', () => {
  const [short, long] = [
    [1, 1, 1, 1],
    [1, 2, 4, 8],
  ];
  const usual = Math.fround(Math.sqrt(1 + Math.log(4) / Math.log(1024)));
  const keys = { original_context_length: 1024, attn_factor: usual };
  const expected = { type: 'longrope', short_factor: short, long_factor: long };
  expect(scalingOf(keys, { short, long })).toEqual({
    original_max_position_embeddings: 1024,
    rope_scaling: expected,
  });
  expect(scalingOf({ ...keys, type: 'longrope', attn_factor: 1 }, { short, long })).toEqual({
    original_max_position_embeddings: 1024,
    rope_scaling: { ...expected, attention_factor: 1 },
  });
});

describe('what is not supported is refused', () => {
  const yarn = { type: 'yarn', factor: 4, original_context_length: 1024 };
  test.each<[string, JsonObject, RotaryFactors, string]>([
    [
      'another way',
      { type: 'ntk' },
      {},
      '"ntk" as `llama.rope.scaling.type`: these are supported: "none", "linear", "yarn", "longrope"',
    ],
    ['another scale of YaRN', { ...yarn, attn_factor: 1.2 }, {}, '1.2 as `llama.rope.scaling.attn_factor`'],
    [
      'a YaRN without a ramp',
      { ...yarn, yarn_ext_factor: 0 },
      {},
      '0 as `llama.rope.scaling.yarn_ext_factor`',
    ],
    [
      'factors beside YaRN',
      yarn,
      { all: [1, 1, 1, 2] },
      '"yarn" as `llama.rope.scaling.type`: the file also has factors of wavelengths',
    ],
    [
      'LongRoPE with half its factors',
      { type: 'longrope' },
      { short: [1, 1, 1, 1] },
      '"longrope" as `llama.rope.scaling.type`: `rope_factors_short.weight` and `rope_factors_long.weight` are needed',
    ],
  ])('%s', (_case, keys, factors, message) => {
    expect(() => scalingOf(keys, factors)).toThrow(`m.gguf has ${message}`);
  });
});
