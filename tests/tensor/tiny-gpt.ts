import * as tf from '@tensorflow/tfjs-core';
import {
  causalAttention,
  crossEntropy,
  embeddingLookup,
  gelu,
  layerNorm,
  linear,
} from '../../src/tensor/index.ts';
import { tensorOf } from './numbers.ts';

export interface TinyGptSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly positions: number;
}

/** A GPT-2 with a tied head and repeatable weights: what a training step needs, and no more. */
export class TinyGpt {
  readonly #sizes: TinyGptSizes;
  readonly #weights = new Map<string, tf.Variable>();

  constructor(sizes: TinyGptSizes) {
    this.#sizes = sizes;
    const { layers, width, vocabulary, positions } = sizes;
    this.#add('tokens', [vocabulary, width]);
    this.#add('positions', [positions, width]);
    for (let layer = 0; layer < layers; layer++) {
      this.#addNorm(`${layer}.norm1`);
      this.#addLinear(`${layer}.qkv`, [width, 3 * width]);
      this.#addLinear(`${layer}.out`, [width, width]);
      this.#addNorm(`${layer}.norm2`);
      this.#addLinear(`${layer}.up`, [width, 4 * width]);
      this.#addLinear(`${layer}.down`, [4 * width, width]);
    }
    this.#addNorm('norm');
  }

  get variables(): tf.Variable[] {
    return [...this.#weights.values()];
  }

  /** Mean cross-entropy of the targets: ids and targets int32 [B, T]. */
  loss(ids: tf.Tensor, targets: tf.Tensor): tf.Scalar {
    const [batch = 0, length = 0] = ids.shape;
    const { width, layers } = this.#sizes;
    const positions = tf.slice(this.#weight('positions'), [0, 0], [length, width]);
    const embedded = tf.add(embeddingLookup({ table: this.#weight('tokens'), ids }), positions); // [B, T, C]
    let x: tf.Tensor = tf.reshape(embedded, [batch * length, width]);
    for (let layer = 0; layer < layers; layer++) {
      x = tf.add(x, this.#attention(`${layer}`, { x: this.#norm(`${layer}.norm1`, x), batch, length }));
      const hidden = gelu(this.#linear(`${layer}.up`, this.#norm(`${layer}.norm2`, x)));
      x = tf.add(x, this.#linear(`${layer}.down`, hidden));
    }
    const logits = linear({
      x: this.#norm('norm', x),
      weight: this.#weight('tokens'),
      transposeWeight: true,
    });
    return crossEntropy({ logits, targets: tf.reshape(targets, [batch * length]) }) as tf.Scalar;
  }

  dispose(): void {
    tf.dispose(this.variables);
  }

  #attention(
    layer: string,
    { x, batch, length }: { x: tf.Tensor; batch: number; length: number },
  ): tf.Tensor {
    const { width, heads } = this.#sizes;
    const parts = tf
      .split(this.#linear(`${layer}.qkv`, x), 3, 1)
      .map((part) => tf.transpose(tf.reshape(part, [batch, length, heads, width / heads]), [0, 2, 1, 3]));
    const [query = x, key = x, value = x] = parts; // [B, H, T, D]
    const attended = causalAttention({ query, key, value, mask: causalMask(length) });
    const joined = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch * length, width]);
    return this.#linear(`${layer}.out`, joined);
  }

  #norm(name: string, x: tf.Tensor): tf.Tensor {
    const [scale, bias] = [this.#weight(`${name}.scale`), this.#weight(`${name}.bias`)];
    return layerNorm({ x, scale, bias, epsilon: 1e-5 });
  }

  #linear(name: string, x: tf.Tensor): tf.Tensor {
    return linear({ x, weight: this.#weight(`${name}.weight`), bias: this.#weight(`${name}.bias`) });
  }

  #addNorm(name: string): void {
    this.#keep(`${name}.scale`, tf.ones([this.#sizes.width]));
    this.#keep(`${name}.bias`, tf.zeros([this.#sizes.width]));
  }

  #addLinear(name: string, shape: [number, number]): void {
    this.#add(`${name}.weight`, shape);
    this.#keep(`${name}.bias`, tf.zeros([shape[1]]));
  }

  #add(name: string, shape: number[]): void {
    this.#keep(name, tensorOf(shape, { seed: this.#weights.size + 1, scale: 0.05 }));
  }

  #keep(name: string, initial: tf.Tensor): void {
    this.#weights.set(name, tf.variable(initial));
    initial.dispose();
  }

  #weight(name: string): tf.Variable {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`There is no weight ${name}.`);
    return weight;
  }
}

function causalMask(length: number): tf.Tensor {
  const values = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  return tf.tensor(values, [length, length]);
}
