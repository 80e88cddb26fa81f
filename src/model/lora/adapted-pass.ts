import * as tf from '@tensorflow/tfjs-core';
import { embeddingLookup, linear, type TokenRows, withOwnColumns, withOwnRows } from '../../tensor/index.ts';
import type { Adapt, AdaptEmbedding, DropoutFactors } from '../forward-pass.ts';
import { type LanguageModel, parameterOf } from '../language-model.ts';
import { familyOf } from '../model-config.ts';
import { type AdapterTarget, tensorNames } from './adapter-layout.ts';
import type { LoraAdapter } from './lora-adapter.ts';
import { trainedRowsName } from './trained-tokens.ts';

export interface Adaptation {
  readonly model: LanguageModel;
  readonly adapter: LoraAdapter;
  /** With DoRA, what each output of a module is multiplied by: [O]. */
  readonly ratioOf: (module: Named) => tf.Tensor;
}

/** What an adapter adds to a model's forward pass. */
export function adaptedPass(adaptation: Adaptation) {
  const { model, adapter } = adaptation;
  const below = replacedParameters(adapter);
  const above = headParameters(model, adapter);
  return {
    hidden: (dropout: DropoutFactors | undefined) => ({
      adapt: adaptProjection(adaptation, dropout),
      adapts: (projection: string) => adapter.layout.targets.has(projection),
      adaptEmbedding: adaptEmbedding(adaptation),
      replaced: below,
    }),
    logits: (dropout: DropoutFactors | undefined) => ({
      adapt: adaptProjection(adaptation, dropout),
      replaced: above,
    }),
  };
}

/** The parameters of the adapter that take the place of the base's, by name. */
export function replacedParameters({ layout, variables, fixed }: LoraAdapter): Map<string, tf.Tensor> {
  const replaced = new Map<string, tf.Tensor>(fixed);
  for (const name of layout.whole.keys()) {
    const variable = variables.get(name);
    if (variable !== undefined) replaced.set(name, variable);
  }
  return replaced;
}

/**
 * The same as the head reads them. A tied head reads the token embedding: as the adapter brings it along, or trained as
 * its own copy, or, if only the embedding is trained, the base's unless the tie is kept.
 */
export function headParameters({ config }: Pick<LanguageModel, 'config'>, adapter: LoraAdapter) {
  const replaced = replacedParameters(adapter);
  if (!config.tied) return replaced;
  const { head, embedding } = familyOf(config).tiedHead;
  const own = replaced.get(head);
  const isTrained = adapter.layout.whole.has(embedding);
  if (own !== undefined) replaced.set(embedding, own);
  else if (isTrained && !adapter.settings.keepsTie) replaced.delete(embedding);
  return replaced;
}

/** y + scale B A dropout(x): [N, O]. With DoRA the sum without the bias is also scaled to the trained norms. */
function adaptProjection(adaptation: Adaptation, dropout: DropoutFactors | undefined): Adapt {
  const { model, adapter } = adaptation;
  return ({ name, x, y: given }) => {
    const own = rowsFor(adaptation, name);
    const y =
      own === undefined ? given : withOwnColumns({ ...own, x, y: given, bias: biasOf(adaptation, name) });
    const target = adapter.layout.targets.get(name);
    if (target === undefined) return y;
    const { down, up } = matricesOf(adapter, { name, target });
    const factors = dropout?.({ place: 'adapter', name, shape: x.shape });
    const input = factors === undefined ? x : tf.mul(x, factors);
    const narrow = linear({ x: input, weight: down, transposeWeight: true }); // [N, r]
    const added = linear({ x: tf.mul(narrow, target.scale), weight: up, transposeWeight: true });
    if (!adapter.settings.dora) return tf.add(y, added);
    const ratio = adaptation.ratioOf({ name, target });
    if (factors === undefined) {
      const bias = biasOf(adaptation, name);
      if (bias === undefined) return tf.mul(tf.add(y, added), ratio);
      return tf.add(tf.mul(tf.add(tf.sub(y, bias), added), ratio), bias);
    }
    // Here only what DoRA adds to the projection is computed from the inputs that are left.
    const weight = parameterOf(model, target.weight);
    const kept = linear({ x: input, weight, transposeWeight: !target.inputFirst });
    return tf.add(y, tf.sub(tf.mul(tf.add(kept, added), ratio), kept));
  };
}

/** y + scale (B A)[:, ids]: [N, C], with DoRA scaled to the trained norms. It has no dropout, as in PEFT. */
function adaptEmbedding(adaptation: Adaptation): AdaptEmbedding {
  const { adapter } = adaptation;
  return ({ name, ids, y: given }) => {
    const own = rowsFor(adaptation, name);
    const y = own === undefined ? given : withOwnRows({ ...own, ids, y: given });
    const target = adapter.layout.targets.get(name);
    if (target === undefined) return y;
    const { down, up } = matricesOf(adapter, { name, target });
    const narrow = embeddingLookup({ table: tf.transpose(down), ids }); // [N, r]
    const added = linear({ x: tf.mul(narrow, target.scale), weight: up, transposeWeight: true });
    const sum = tf.add(y, added);
    return adapter.settings.dora ? tf.mul(sum, adaptation.ratioOf({ name, target })) : sum;
  };
}

/** The rows of tokens that a module has from the adapter; a tied head has those of the embedding. */
function rowsFor({ model, adapter }: Adaptation, name: string): TokenRows | undefined {
  const { head, embedding } = familyOf(model.config).tiedHead;
  const isTiedHead = model.config.tied && `${name}.weight` === head;
  const module = isTiedHead ? embedding.replace(/\.weight$/, '') : name;
  const [rows, places] = [adapter.variables.get(trainedRowsName(module)), adapter.places.get(module)];
  return rows === undefined || places === undefined ? undefined : { rows, places };
}

interface Named {
  readonly name: string;
  readonly target: AdapterTarget;
}

/** A [r, I] and B [O, r] of a module. */
export function matricesOf({ variables }: LoraAdapter, { name, target }: Named) {
  const names = tensorNames(name, target.kind);
  const [down, up] = [variables.get(names.down), variables.get(names.up)];
  if (down === undefined || up === undefined) throw new Error(`${name} has no adapter`);
  return { down, up };
}

/** The bias that the projection added: that of the base, or the adapter's own. */
const biasOf = ({ model, adapter }: Adaptation, name: string): tf.Tensor | undefined =>
  adapter.variables.get(`${name}.bias`) ??
  adapter.fixed.get(`${name}.bias`) ??
  model.parameters.get(`${name}.bias`);
