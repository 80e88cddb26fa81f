import type { DataType } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type ElementType, type GraphValue, operator } from '../graph/graph-value.ts';
import { type Kernel, kernel } from './kernel.ts';

/** A function of one value, recorded into a graph. */
export type Formula = (graph: GraphRecorder, x: GraphValue) => GraphValue;

const ADD = operator('Add');
const SUB = operator('Sub');
const MUL = operator('Mul');
const DIV = operator('Div');
const EXP = operator('Exp');
const LOG = operator('Log');
const WHERE = operator('Where');
const EQUAL = operator('Equal');
const GREATER = operator('Greater');

/** A function of floats; integers and bools are converted first. */
function ofFloats(formula: Formula): Kernel {
  return kernel<'x'>(({ inputs: { x }, graph }) =>
    graph.tensor(formula(graph, graph.cast(graph.value(x), 'float32'))),
  );
}

/** A function that rounds floats; other types are already rounded. */
function rounding(type: string): Kernel {
  const formula = direct(type);
  return kernel<'x'>(({ inputs: { x }, graph }) =>
    x.dtype === 'float32' ? graph.tensor(formula(graph, graph.value(x))) : graph.alias(x, x.shape),
  );
}

/** A function that keeps the element type. */
function ofAny(formula: Formula): Kernel {
  return kernel<'x'>(({ inputs: { x }, graph }) => graph.tensor(formula(graph, graph.value(x))));
}

export const direct = (type: string): Formula => {
  const unaryOperator = operator(type);
  return (graph, x) => graph.apply(unaryOperator, [x]);
};

/** log(1 + x) without losing small x: x log(u) / (u - 1) with u = 1 + x (Goldberg 1991, theorem 4). */
const log1p: Formula = (graph, x) => {
  const u = graph.apply(ADD, [x, graph.scalar(1)]);
  const lost = graph.apply(SUB, [u, graph.scalar(1)]);
  const scaled = graph.apply(DIV, [graph.apply(MUL, [x, graph.apply(LOG, [u])]), lost]);
  return graph.apply(WHERE, [graph.test(EQUAL, [lost, graph.scalar(0)]), x, scaled]);
};

/** exp(x) - 1 as 2 tanh(x / 2) / (1 - tanh(x / 2)), which keeps small x; exp(x) - 1 itself elsewhere. */
const expm1: Formula = (graph, x) => {
  const t = graph.apply(operator('Tanh'), [graph.apply(MUL, [x, graph.scalar(0.5)])]);
  const near = graph.apply(DIV, [
    graph.apply(MUL, [t, graph.scalar(2)]),
    graph.apply(SUB, [graph.scalar(1), t]),
  ]);
  const small = graph.test(operator('Less'), [graph.apply(operator('Abs'), [x]), graph.scalar(1)]);
  return graph.apply(WHERE, [small, near, graph.apply(SUB, [graph.apply(EXP, [x]), graph.scalar(1)])]);
};

export const relu6: Formula = (graph, x) =>
  graph.apply(operator('Min'), [graph.apply(operator('Relu'), [x]), graph.scalar(6, x.type)]);

/** 1, 0 or -1, and 0 for NaN. */
const sign: Formula = (graph, x) => {
  const zero = graph.scalar(0, x.type);
  const [above, below] = ['Greater', 'Less'].map((test) =>
    graph.cast(graph.test(operator(test), [x, zero]), x.type),
  );
  return above === undefined || below === undefined ? x : graph.apply(SUB, [above, below]);
};

const isFiniteNumber: Formula = (graph, x) => {
  const size = graph.apply(operator('Abs'), [x]);
  return graph.test(operator('Less'), [size, graph.scalar(Number.POSITIVE_INFINITY)]); // false for NaN as well
};

/** x where x is positive, alpha x elsewhere. */
export function leakyRelu(
  graph: GraphRecorder,
  { x, alpha }: { x: GraphValue; alpha: GraphValue },
): GraphValue {
  const isPositive = graph.test(GREATER, [x, graph.scalar(0)]);
  return graph.apply(WHERE, [isPositive, x, graph.apply(MUL, [x, alpha])]);
}

export const unaryKernels = {
  Abs: ofAny(direct('Abs')),
  Acos: ofFloats(direct('Acos')),
  Acosh: ofFloats(direct('Acosh')),
  Asin: ofFloats(direct('Asin')),
  Asinh: ofFloats(direct('Asinh')),
  Atan: ofFloats(direct('Atan')),
  Atanh: ofFloats(direct('Atanh')),
  Ceil: rounding('Ceil'),
  Cos: ofFloats(direct('Cos')),
  Cosh: ofFloats(direct('Cosh')),
  Elu: ofFloats(direct('Elu')),
  Erf: ofFloats(direct('Erf')),
  Exp: ofFloats(direct('Exp')),
  Expm1: ofFloats(expm1),
  Floor: rounding('Floor'),
  IsFinite: ofFloats(isFiniteNumber),
  IsInf: ofFloats((graph, x) => graph.test(operator('IsInf'), [x])),
  IsNan: ofFloats((graph, x) => graph.test(operator('IsNaN'), [x])),
  Log: ofFloats(direct('Log')),
  Log1p: ofFloats(log1p),
  LogicalNot: ofAny(direct('Not')),
  Neg: ofAny(direct('Neg')),
  Reciprocal: ofFloats(direct('Reciprocal')),
  Relu: ofAny(direct('Relu')),
  Relu6: ofAny(relu6),
  Round: rounding('Round'),
  Rsqrt: ofFloats((graph, x) => graph.apply(operator('Reciprocal'), [graph.apply(operator('Sqrt'), [x])])),
  Selu: ofFloats(direct('Selu')),
  Sigmoid: ofFloats(direct('Sigmoid')),
  Sign: ofAny(sign),
  Sin: ofFloats(direct('Sin')),
  Sinh: ofFloats(direct('Sinh')),
  Softplus: ofFloats(direct('Softplus')),
  Sqrt: ofFloats(direct('Sqrt')),
  Square: ofAny((graph, x) => graph.apply(MUL, [x, x])),
  Tan: ofFloats(direct('Tan')),
  Tanh: ofFloats(direct('Tanh')),
  Cast: kernel<'x', { dtype: DataType }>(({ inputs: { x }, attributes: { dtype }, graph }) => {
    if (dtype === x.dtype) return graph.alias(x, x.shape);
    if (dtype === 'string' || dtype === 'complex64')
      throw new Error(`The onnx backend has no ${dtype} tensors.`);
    return graph.tensor(graph.cast(graph.value(x), dtype satisfies ElementType));
  }),
  ClipByValue: kernel<'x', { clipValueMin: number; clipValueMax: number }>(
    ({ inputs, attributes: { clipValueMin, clipValueMax }, graph }) => {
      const x = graph.value(inputs.x);
      const raised = graph.apply(operator('Max'), [x, graph.scalar(clipValueMin, x.type)]);
      return graph.tensor(graph.apply(operator('Min'), [raised, graph.scalar(clipValueMax, x.type)]));
    },
  ),
  EluGrad: kernel<'dy' | 'y'>(({ inputs, graph }) => {
    const [dy, y] = [graph.value(inputs.dy), graph.value(inputs.y)];
    const slope = graph.apply(ADD, [y, graph.scalar(1)]);
    const negative = graph.apply(MUL, [dy, slope]);
    const isPositive = graph.test(operator('GreaterOrEqual'), [y, graph.scalar(0)]);
    return graph.tensor(graph.apply(WHERE, [isPositive, dy, negative]));
  }),
  LeakyRelu: kernel<'x', { alpha: number }>(({ inputs, attributes: { alpha }, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'float32');
    return graph.tensor(leakyRelu(graph, { x, alpha: graph.scalar(alpha) }));
  }),
  Prelu: kernel<'x' | 'alpha'>(({ inputs, graph }) => {
    const [x, alpha] = [inputs.x, inputs.alpha].map((tensor) => graph.cast(graph.value(tensor), 'float32'));
    if (x === undefined || alpha === undefined) throw new Error('Prelu needs x and alpha.');
    return graph.tensor(leakyRelu(graph, { x, alpha }));
  }),
  // 1 above zero, alpha at zero and below, NaN for NaN.
  Step: kernel<'x', { alpha: number }>(({ inputs, attributes: { alpha }, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'float32');
    const isPositive = graph.test(GREATER, [x, graph.scalar(0)]);
    const step = graph.apply(WHERE, [isPositive, graph.scalar(1), graph.scalar(alpha)]);
    const marked = graph.apply(WHERE, [graph.test(operator('IsNaN'), [x]), x, step]);
    return graph.tensor(inputs.x.dtype === 'int32' ? graph.cast(marked, 'int32') : marked);
  }),
};
