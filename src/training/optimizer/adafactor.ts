import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import {
  type AdafactorSettings,
  adafactorMatrixStep,
  adafactorVectorStep,
  hasInPlaceSteps,
} from '../../tensor/index.ts';
import {
  parameterOnHost,
  parameterWithRule,
  type StepSettings,
  type TrainedParameter,
} from './trained-parameter.ts';

type AdafactorConfig = Extract<TrainConfig['optimizer'], { readonly name: 'adafactor' }>;

/**
 * Adafactor (Shazeer and Stern 2018, arXiv:1804.04235) as transformers has it: of the mean squared gradient of a matrix it
 * keeps only the means of its rows and of its columns.
 */
export function adafactorParameter(variable: tf.Variable, config: AdafactorConfig): TrainedParameter {
  if (!hasInPlaceSteps()) return onHost(variable, config);
  const { shape, rank } = variable;
  const momentum = config.beta1 === undefined ? undefined : { momentum: shape };
  const shapes: Readonly<Record<string, readonly number[]>> =
    rank < 2
      ? { mean_square: shape, ...momentum }
      : {
          row_mean: shape.slice(0, -1),
          column_mean: [...shape.slice(0, -2), ...shape.slice(-1)],
          ...momentum,
        };
  return parameterWithRule<string>(variable, {
    shapes,
    update: ({ parameter, gradient, state }, settings) => {
      const { step, weightDecay } = settings;
      const averages = averagesOf({ gradient, state, step }, config);
      const update = stepOf({ parameter, gradient, root: averages.inverseRoot }, { settings, config });
      const { beta1 } = config;
      const rate = update.rate;
      const change =
        beta1 === undefined || state.momentum === undefined
          ? update.change
          : tf.add(tf.mul(state.momentum, beta1), tf.mul(update.change, 1 - beta1));
      const decayed =
        weightDecay === 0 ? parameter : tf.sub(parameter, tf.mul(parameter, tf.mul(rate, weightDecay)));
      return {
        parameter: tf.sub(decayed, change),
        state: { ...averages.state, ...(momentum && { momentum: change }) },
      };
    },
  });
}

function onHost(variable: tf.Variable, config: AdafactorConfig): TrainedParameter {
  const { shape, size } = variable;
  const { beta1, epsilon, decay_rate, clip_threshold, scale_parameter } = config;
  const momentum = beta1 === undefined ? undefined : { momentum: size };
  const settingsOf = ({ step, ...settings }: StepSettings): AdafactorSettings => ({
    ...settings,
    beta2: 1 - step ** decay_rate,
    beta1: beta1 ?? 0,
    epsilon: [epsilon[0] ?? 1e-30, epsilon[1] ?? 1e-3],
    clipThreshold: clip_threshold,
    scaleParameter: scale_parameter,
  });
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined || columns === undefined)
    return parameterOnHost<{ readonly mean_square: Float32Array } & Momentum>(variable, {
      sizes: { mean_square: size, ...momentum },
      step: ({ state: { mean_square, momentum }, ...values }, settings) =>
        adafactorVectorStep({ ...values, meanSquare: mean_square, momentum }, settingsOf(settings)),
    });
  const matrices = shape.slice(0, -2).reduce((product, count) => product * count, 1);
  return parameterOnHost<{ readonly row_mean: Float32Array; readonly column_mean: Float32Array } & Momentum>(
    variable,
    {
      sizes: { row_mean: matrices * rows, column_mean: matrices * columns, ...momentum },
      step: ({ state: { row_mean, column_mean, momentum }, ...values }, settings) =>
        adafactorMatrixStep(
          { ...values, rowMean: row_mean, columnMean: column_mean, momentum, rows, columns },
          settingsOf(settings),
        ),
    },
  );
}

type Momentum = { readonly momentum?: Float32Array };

interface Averages {
  /** 1 / sqrt of the estimated mean squared gradient; of a matrix the outer product of its factors. */
  readonly inverseRoot: tf.Tensor;
  readonly state: Readonly<Record<string, tf.Tensor>>;
}

function averagesOf(
  {
    gradient,
    state,
    step,
  }: {
    readonly gradient: tf.Tensor;
    readonly state: Readonly<Record<string, tf.Tensor>>;
    readonly step: number;
  },
  { epsilon, decay_rate }: AdafactorConfig,
): Averages {
  const beta2 = 1 - step ** decay_rate;
  const square = tf.add(tf.square(gradient), epsilon[0] ?? 1e-30);
  const average = (name: string, value: tf.Tensor): tf.Tensor => {
    const before = state[name];
    if (before === undefined) throw new Error(`the optimizer state has no ${name}`);
    return tf.add(tf.mul(before, beta2), tf.mul(value, 1 - beta2));
  };
  if (gradient.rank < 2) {
    const mean_square = average('mean_square', square);
    return { inverseRoot: tf.rsqrt(mean_square), state: { mean_square } };
  }
  const row_mean = average('row_mean', tf.mean(square, -1));
  const column_mean = average('column_mean', tf.mean(square, -2));
  const rows = tf.rsqrt(tf.div(row_mean, tf.mean(row_mean, -1, true)));
  return {
    inverseRoot: tf.mul(tf.expandDims(rows, -1), tf.expandDims(tf.rsqrt(column_mean), -2)),
    state: { row_mean, column_mean },
  };
}

/** The change of a parameter, not larger than `clip_threshold` in its root mean square, times the rate, which is a scalar. */
function stepOf(
  {
    parameter,
    gradient,
    root,
  }: { readonly parameter: tf.Tensor; readonly gradient: tf.Tensor; readonly root: tf.Tensor },
  { settings, config }: { readonly settings: StepSettings; readonly config: AdafactorConfig },
): { readonly change: tf.Tensor; readonly rate: tf.Tensor } {
  const { epsilon, clip_threshold, scale_parameter } = config;
  const { learningRate } = settings;
  const update = tf.mul(root, gradient);
  const clipped = tf.div(update, tf.maximum(tf.div(rootMeanSquare(update), clip_threshold), 1));
  const rate = scale_parameter
    ? tf.mul(tf.maximum(rootMeanSquare(parameter), epsilon[1] ?? 1e-3), learningRate)
    : tf.scalar(learningRate);
  return { change: tf.mul(clipped, rate), rate };
}

const rootMeanSquare = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.mean(tf.square(x)));

/** The rate of `relative_step`, which falls with the steps; with `warmup_init` it rises first. 1 is the first step. */
export const relativeStepSize = (
  step: number,
  { warmup_init }: Pick<AdafactorConfig, 'warmup_init'>,
): number => Math.min(warmup_init ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step));
