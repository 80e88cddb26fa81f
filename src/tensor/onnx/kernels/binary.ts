import { broadcastShape } from '../graph/broadcast-shape.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sameShape } from '../graph/graph-value.ts';
import { type Kernel, kernel } from './kernel.ts';

type Formula = (graph: GraphRecorder, operands: readonly [GraphValue, GraphValue]) => GraphValue;

const SUB = operator('Sub');
const MUL = operator('Mul');
const DIV = operator('Div');
const MOD = operator('Mod', { fmod: 1 });
const ADD = operator('Add');
const LESS = operator('Less');
const FLOOR = operator('Floor');
const WHERE = operator('Where');

/** A function of two tensors. Bools are computed as integers and the result is bool again, as in tfjs. */
function arithmetic(formula: Formula): Kernel {
  return kernel<'a' | 'b'>(({ inputs, graph }) => {
    const [a, b] = [graph.value(inputs.a), graph.value(inputs.b)];
    if (a.type !== 'bool') return graph.tensor(formula(graph, [a, b]));
    const result = formula(graph, [graph.cast(a, 'int32'), graph.cast(b, 'int32')]);
    return graph.tensor(graph.cast(result, 'bool'));
  });
}

/** A comparison, with a bool result. */
function comparison(formula: Formula): Kernel {
  return kernel<'a' | 'b'>(({ inputs, graph }) => {
    const [a, b] = [graph.value(inputs.a), graph.value(inputs.b)];
    const type = a.type === 'bool' ? 'int32' : a.type;
    return graph.tensor(formula(graph, [graph.cast(a, type), graph.cast(b, type)]));
  });
}

function logical(type: string): Kernel {
  const binaryOperator = operator(type);
  return kernel<'a' | 'b'>(({ inputs, graph }) => {
    const operands = [inputs.a, inputs.b].map((tensor) => graph.cast(graph.value(tensor), 'bool'));
    return graph.tensor(graph.test(binaryOperator, operands));
  });
}

const direct = (type: string): Formula => {
  const binaryOperator = operator(type);
  return (graph, operands) => graph.apply(binaryOperator, operands);
};

const test = (type: string): Formula => {
  const binaryOperator = operator(type);
  return (graph, operands) => graph.test(binaryOperator, operands);
};

const POW = operator('Pow');
const EXPAND = operator('Expand');

/** Of operands of one shape where the engine's own power cannot broadcast. */
const power: Formula = (graph, operands) => {
  if (graph.has(POW)) return graph.apply(POW, operands);
  const shape = broadcastShape(operands);
  const expanded = operands.map((x) =>
    sameShape(x.shape, shape)
      ? x
      : graph.add({ operator: EXPAND, inputs: [x, graph.integers(shape)], shape }),
  );
  return graph.apply(POW, expanded);
};

// Integers are divided as doubles: ONNX Runtime's integer division by zero would end the process.
const throughDoubles = (formula: Formula): Formula => {
  return (graph, [a, b]) => {
    if (a.type === 'float32') return formula(graph, [a, b]);
    return graph.cast(formula(graph, [graph.cast(a, 'double'), graph.cast(b, 'double')]), a.type);
  };
};

/** The quotient rounded down, an integer for floats too, as in tfjs. */
const floorDivision: Formula = (graph, [a, b]) => {
  const quotient = graph.apply(DIV, [graph.cast(a, 'double'), graph.cast(b, 'double')]);
  return graph.cast(graph.apply(FLOOR, [quotient]), 'int32');
};

/** The remainder with the sign of the divisor, as in Python. */
const remainder: Formula = (graph, [a, b]) => {
  const truncated = graph.apply(MOD, [a, b]);
  const zero = graph.scalar(0, a.type);
  const signs = [a, b].map((value) => graph.test(LESS, [value, zero]));
  const moved = graph.apply(MOD, [graph.apply(ADD, [truncated, b]), b]);
  return graph.apply(WHERE, [graph.test(operator('Equal'), signs), truncated, moved]);
};

const squaredDifference: Formula = (graph, operands) => {
  const difference = graph.apply(SUB, operands);
  return graph.apply(MUL, [difference, difference]);
};

const notEqual: Formula = (graph, operands) =>
  graph.test(operator('Not'), [graph.test(operator('Equal'), operands)]);

export const binaryKernels = {
  Add: arithmetic(direct('Add')),
  BitwiseAnd: arithmetic(direct('BitwiseAnd')),
  Equal: comparison(test('Equal')),
  FloorDiv: arithmetic(floorDivision),
  Greater: comparison(test('Greater')),
  GreaterEqual: comparison(test('GreaterOrEqual')),
  Less: comparison(test('Less')),
  LessEqual: comparison(test('LessOrEqual')),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
  Maximum: arithmetic(direct('Max')),
  Minimum: arithmetic(direct('Min')),
  Mod: arithmetic(throughDoubles(remainder)),
  Multiply: arithmetic(direct('Mul')),
  NotEqual: comparison(notEqual),
  Pow: arithmetic(power),
  RealDiv: arithmetic(throughDoubles(direct('Div'))),
  SquaredDifference: arithmetic(squaredDifference),
  Sub: arithmetic(direct('Sub')),
};
