import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { DropoutFactors, LanguageModel } from '../../model/index.ts';
import type { BatchPart, PartLoss, PreferenceBatch } from '../batch-parts.ts';
import type { Answer, JudgedAnswer, PreferencePair } from '../batches/batch-plan.ts';
import { type BatchLayout, ignoredTarget } from '../batches/micro-batch.ts';
import { type RouterLoss, routerLoss } from '../router-loss.ts';
import { logProbs, logProbValues, summedTexts } from './answer-log-probs.ts';
import { sumOf } from './figures.ts';
import { ktoLosses, type PairObjective, type PairObjectiveName, pairObjective } from './objectives.ts';
import { usesReference } from './preference-settings.ts';

type Preference = TrainConfig['preference'];

/** A batch of pairs. Both answers of a pair are computed together, the preferred ones first. */
export function pairBatch(
  pairs: readonly PreferencePair[],
  {
    objective: name,
    preference,
    layout,
  }: { readonly objective: PairObjectiveName; readonly preference: Preference; readonly layout: BatchLayout },
): PreferenceBatch {
  const objective = pairObjective(name, preference);
  const learned = objective.learns ? pairs.reduce((sum, { chosen }) => sum + unmasked(chosen.learned), 0) : 0;
  const isFree = !usesReference({ objective: name, preference });
  return {
    tokens: pairs.reduce(
      (sum, { chosen, rejected }) => sum + chosen.inputs.length + rejected.inputs.length,
      0,
    ),
    weight: pairs.length,
    parts: async () =>
      chunks(pairs, layout.microBatchSize).map((part) =>
        pairPart(part, {
          objective,
          layout,
          isFree,
          learnedShare: pairs.length / (part.length * Math.max(1, learned)),
        }),
      ),
  };
}

interface PairPart {
  readonly objective: PairObjective;
  readonly layout: BatchLayout;
  readonly isFree: boolean;
  /** What the loss of a learned token counts in the part's mean, so that in the batch's mean all tokens count alike. */
  readonly learnedShare: number;
}

function pairPart(
  pairs: readonly PreferencePair[],
  { objective, layout, isFree, learnedShare }: PairPart,
): BatchPart {
  const { learns, averages } = objective;
  const chosen = pairs.map((pair) => pair.chosen);
  const rejected = pairs.map((pair) => pair.rejected);
  const answers: readonly Answer[] = [...chosen, ...rejected];
  const count = pairs.length;
  const texts = summedTexts(
    [
      ...chosen.map(({ inputs, targets, learned }) => ({ inputs, targets, ...(learns && { learned }) })),
      ...rejected,
    ],
    layout,
  );
  const scales = answers.map(({ targets }) => (averages ? 1 / unmasked(targets) : 1));
  const references = answers.map(({ reference = 0 }, index) =>
    isFree ? 0 : reference * (scales[index] ?? 1),
  );
  const loss = (model: LanguageModel, dropout?: DropoutFactors | undefined): PartLoss => {
    const router = routerLoss(model.config, texts.microBatch);
    const sums = logProbs(model, texts, { dropout, routed: router?.routed }); // [2 P + 1]
    const values = averages
      ? tf.mul(tf.slice(sums, 0, 2 * count), tf.tensor1d(scales))
      : tf.slice(sums, 0, 2 * count);
    const preferred = tf.mean(
      objective.losses({
        chosen: tf.slice(values, 0, count),
        rejected: tf.slice(values, count, count),
        referenceChosen: tf.tensor1d(references.slice(0, count)),
        referenceRejected: tf.tensor1d(references.slice(count)),
      }),
    );
    const total = learns ? tf.sub(preferred, tf.mul(tf.slice(sums, 2 * count, 1), learnedShare)) : preferred;
    return {
      loss: withRouters(total, router),
      measured: {
        values: sums,
        figures: (sums) => {
          const scaled = scales.map((scale, index) => scale * (sums[index] ?? Number.NaN));
          return {
            ...objective.figures({
              chosen: scaled.slice(0, count),
              rejected: scaled.slice(count),
              referenceChosen: references.slice(0, count),
              referenceRejected: references.slice(count),
            }),
            ...(learns && { nll_loss: learnedFigure(chosen, sums[2 * count] ?? Number.NaN) }),
          };
        },
      },
    };
  };
  return { weight: count, loss };
}

const learnedFigure = (
  chosen: readonly { readonly learned: Int32Array }[],
  sum: number,
): { readonly sum: number; readonly count: number } => ({
  sum: -sum,
  count: chosen.reduce((total, { learned }) => total + unmasked(learned), 0),
});

/** A batch of labeled answers. The divergence from the reference is that of the answers to other prompts, at least 0. */
export function judgedBatch(
  items: readonly JudgedAnswer[],
  { preference, layout }: { readonly preference: Preference; readonly layout: BatchLayout },
): PreferenceBatch {
  return {
    tokens: items.reduce((sum, { answer }) => sum + answer.inputs.length, 0),
    weight: items.length,
    parts: async (model, precision) => {
      const groups = chunks(items, layout.microBatchSize);
      let gain = 0;
      for (const group of groups) {
        const texts = summedTexts(
          group.map(({ mismatched }) => mismatched),
          layout,
        );
        for (const [index, value] of (await logProbValues(model, texts, precision)).entries())
          gain += value - (group[index]?.mismatched.reference ?? 0);
      }
      const divergence = Math.max(0, gain / items.length);
      return groups.map((group) => judgedPart(group, { preference, layout, divergence }));
    },
  };
}

function judgedPart(
  items: readonly JudgedAnswer[],
  { preference, layout, divergence }: { preference: Preference; layout: BatchLayout; divergence: number },
): BatchPart {
  const { beta = 0.1, desirable_weight: desired = 1, undesirable_weight: undesired = 1 } = preference;
  const texts = summedTexts(
    items.map(({ answer }) => answer),
    layout,
  );
  const references = items.map(({ answer }) => answer.reference ?? 0);
  const loss = (model: LanguageModel, dropout?: DropoutFactors | undefined): PartLoss => {
    const router = routerLoss(model.config, texts.microBatch);
    const sums = logProbs(model, texts, { dropout, routed: router?.routed }); // [A + 1]
    const losses = ktoLosses({
      gains: tf.sub(tf.slice(sums, 0, items.length), tf.tensor1d(references)),
      signs: tf.tensor1d(items.map(({ desirable }) => (desirable ? 1 : -1))),
      weights: tf.tensor1d(items.map(({ desirable }) => (desirable ? desired : undesired))),
      divergence,
      beta,
    });
    return {
      loss: withRouters(tf.mean(losses), router),
      measured: {
        values: sums,
        figures: (sums) => {
          const of = (desirable: boolean) => {
            const indexes = [...items.keys()].filter((index) => items[index]?.desirable === desirable);
            const logps = indexes.map((index) => sums[index] ?? Number.NaN);
            const rewards = indexes.map((index, at) => beta * ((logps[at] ?? 0) - (references[index] ?? 0)));
            return { logps: sumOf(logps), rewards: sumOf(rewards) };
          };
          const [chosen, rejected] = [of(true), of(false)];
          return {
            rewards_chosen: chosen.rewards,
            rewards_rejected: rejected.rewards,
            logps_chosen: chosen.logps,
            logps_rejected: rejected.logps,
            kl: { sum: divergence * items.length, count: items.length },
          };
        },
      },
    };
  };
  return { weight: items.length, loss };
}

/** A loss of one number, with that of the routers of a model that asks for it. */
const withRouters = (loss: tf.Tensor, router: RouterLoss | undefined): tf.Scalar => {
  const scalar = tf.reshape(loss, []) as tf.Scalar; // no axes
  return router === undefined ? scalar : tf.add(scalar, router.value());
};

const unmasked = (targets: Int32Array): number =>
  targets.reduce((count, target) => count + Number(target !== ignoredTarget), 0);

const chunks = <Item>(items: readonly Item[], size = items.length): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
