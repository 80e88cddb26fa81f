import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
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
  const function_ = operator(type);
  return (graph, x) => graph.apply(function_, [x]);
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
};
