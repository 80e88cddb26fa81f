import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { elementCount } from '../../src/formats/safetensors/floats.ts';
import { languageModel } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import curve from '../fixtures/training/reference-curve.json' with { type: 'json' };
import { trainOnCurve } from './reference-curve.ts';

/** The model of reference-curve.py: its weights are multiples of the golden ratio, folded. */
function modelByFormula() {
  const config = parseModelConfig('reference-curve', {
    ...{ model_type: 'gpt2', vocab_size: curve.vocabulary, n_positions: curve.context, n_embd: curve.width },
    ...{ n_layer: curve.layers, n_head: curve.heads, tie_word_embeddings: false },
  });
  const parameters = [...parameterLayout(config)].map(([name, { shape }], place) => {
    const isScale = /ln_\w+\.weight$/.test(name);
    const values = Float32Array.from({ length: elementCount(shape) }, (_, index) => {
      const turns = (index + 1 + 1000 * place) * 0.6180339887498949;
      return isScale ? 1 : 0.1 * (2 * (turns - Math.floor(turns)) - 1);
    });
    return [name, tf.variable(tf.tensor(values, [...shape]))] as const;
  });
  return languageModel(config, new Map(parameters));
}

it.each([true, false])(
  "fifty steps of the reference experiment at a small size have the reference's losses (padding-free: %s)",
  async (paddingFree) => {
    await openTensorBackend({ backend: 'onnx' });
    const model = modelByFormula();
    const losses = await trainOnCurve(model, { ...curve, paddingFree });
    model.dispose();
    expect(losses).toHaveLength(50);
    expect(Math.max(...losses.map((loss, step) => Math.abs(loss - (curve.losses[step] ?? 0))))).toBeLessThan(
      1e-4,
    );
  },
);
