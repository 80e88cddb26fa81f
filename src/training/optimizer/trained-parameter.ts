import * as tf from '@tensorflow/tfjs-core';

/** What the step of a parameter depends on besides its gradient and its state. */
export interface StepSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** 1 is the first. */
  readonly step: number;
  /** Multiplies the gradient first. */
  readonly gradientScale: number;
}

/** A parameter and its optimizer state. Disposing of it leaves the parameter. */
export interface TrainedParameter extends Disposable {
  readonly step: (gradient: tf.Tensor, settings: StepSettings) => void;
  readonly state: readonly OptimizerState[];
  /** Whether a lazy backend only records a step. */
  readonly isComputedLater?: boolean;
}

/** A tensor of a parameter's optimizer state. */
export interface OptimizerState {
  /** As the saved state names it: `first_moment`. */
  readonly name: string;
  readonly size: number;
  /** A read-only host copy, valid until the next step. */
  readonly read: () => Float32Array;
  readonly restore: (values: Float32Array) => void;
}

type Named<Names extends string, Value> = { readonly [Name in Names]: Value };

/** New values of a parameter and its state. */
export interface Updated<Names extends string> {
  readonly parameter: tf.Tensor;
  readonly state: Named<Names, tf.Tensor>;
}

interface Rule<Names extends string> {
  /** The shapes of the state's tensors. */
  readonly shapes: Named<Names, readonly number[]>;
  /** The formula, over tensors; the gradient is already scaled. What it makes is disposed of, except for what it returns. */
  readonly update: (
    values: {
      readonly parameter: tf.Tensor;
      readonly gradient: tf.Tensor;
      readonly state: Named<Names, tf.Tensor>;
    },
    settings: StepSettings,
  ) => Updated<Names>;
}

interface HostRule<State extends HostState> {
  /** The numbers of elements of the state's arrays, which start at 0. */
  readonly sizes: { readonly [Name in keyof State]: number };
  /** Changes the parameter and the state in place. */
  readonly step: (
    values: {
      readonly parameter: Float32Array;
      readonly gradient: Float32Array;
      readonly state: State;
    },
    settings: StepSettings,
  ) => void;
}

type HostState = { readonly [name: string]: Float32Array | undefined };

/** A parameter that is updated on the host, where its state is kept too. */
export function parameterOnHost<State extends HostState>(
  parameter: tf.Variable,
  { sizes, step }: HostRule<State>,
): TrainedParameter {
  const arrays = Object.entries<number>(sizes).map(([name, size]) => ({
    name,
    values: new Float32Array(size),
  }));
  const state = Object.fromEntries(arrays.map(({ name, values }) => [name, values])) as unknown as State; // the names of `sizes`
  return {
    step: (gradient, settings) =>
      rewriteValues(parameter, (values) =>
        step({ parameter: values, gradient: gradient.dataSync<'float32'>(), state }, settings),
      ),
    state: arrays.map(({ name, values }) => ({
      ...{ name, size: values.length, read: () => values },
      restore: (saved) => values.set(saved),
    })),
    [Symbol.dispose]: () => {},
  };
}

/** A parameter that is updated by a formula over tensors, on every backend. Parameter and state stay on the backend. */
export function parameterWithRule<Names extends string>(
  parameter: tf.Variable,
  { shapes, update }: Rule<Names>,
): TrainedParameter {
  const state = Object.fromEntries(
    Object.entries<readonly number[]>(shapes).map(([name, shape]) => [name, zeros(shape)]),
  ) as Named<Names, tf.Variable>; // the names of `shapes`
  const variables = Object.entries<tf.Variable>(state);
  return {
    isComputedLater: true,
    step: (gradient, settings) =>
      tf.tidy(() => {
        const { gradientScale } = settings;
        const scaled = gradientScale === 1 ? gradient : tf.mul(gradient, gradientScale);
        const updated = update({ parameter, gradient: scaled, state }, settings);
        parameter.assign(updated.parameter);
        for (const [name, variable] of variables) variable.assign(updated.state[name as Names]);
      }),
    state: variables.map(([name, variable]) => ({
      name,
      size: variable.size,
      read: () => variable.dataSync<'float32'>(),
      restore: (values) => tf.tidy(() => variable.assign(tf.tensor(values, variable.shape))),
    })),
    [Symbol.dispose]: () => tf.dispose(variables.map(([, variable]) => variable)),
  };
}

const zeros = (shape: readonly number[]): tf.Variable => tf.tidy(() => tf.variable(tf.fill([...shape], 0)));

/** Changes a variable's values on the host: in place if the backend hands out its own memory, else through a copy. */
export function rewriteValues(variable: tf.Variable, change: (values: Float32Array) => void): void {
  const values = variable.dataSync<'float32'>();
  change(values);
  if (variable.dataSync() === values) return;
  const changed = tf.tensor(values, variable.shape);
  variable.assign(changed);
  changed.dispose();
}
