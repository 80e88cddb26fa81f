import { IGNORED_TARGET } from '../../ops/losses.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';
import { logSoftmax } from './normalization.ts';
import { matMul } from './product.ts';

const ADD = operator('Add');
const SUB = operator('Sub');
const MUL = operator('Mul');
const WHERE = operator('Where');
const SILU = operator('QuickGelu', { alpha: 1 });
const GELU_A = Math.sqrt(2 / Math.PI);
const GELU_B = 0.044715;

/** Kernels of the operations in ops/; other backends compose those from tfjs kernels. */
export const fusedKernels = {
  /** Returns [y, mean, 1 / deviation], the last two [N, 1]. */
  LayerNorm: kernel<'x' | 'scale' | 'bias', { epsilon: number }>(
    ({ inputs, attributes: { epsilon }, graph }) => {
      const [x, scale, bias] = [graph.value(inputs.x), graph.value(inputs.scale), graph.value(inputs.bias)];
      const perRow = { shape: [...x.shape.slice(0, -1), 1], type: x.type };
      const values = graph.addMany({
        operator: operator('LayerNormalization', { axis: -1, epsilon }),
        inputs: [x, scale, bias],
        outputs: [{ shape: x.shape, type: x.type }, perRow, perRow],
      });
      return values.map((value) => graph.tensor(value));
    },
  ),

  /** Returns [y, 1 / root mean square], the latter [N, 1]. */
  RmsNorm: kernel<'x' | 'scale', { epsilon: number }>(({ inputs, attributes: { epsilon }, graph }) => {
    const [x, scale] = [graph.value(inputs.x), graph.value(inputs.scale)];
    const values = graph.addMany({
      operator: operator('SimplifiedLayerNormalization', { axis: -1, epsilon }),
      inputs: [x, scale],
      outputs: [
        { shape: x.shape, type: x.type },
        { shape: [...x.shape.slice(0, -1), 1], type: x.type },
      ],
    });
    return values.map((value) => graph.tensor(value));
  }),

  GeluTanh: kernel<'x'>(({ inputs, graph }) =>
    graph.tensor(graph.apply(operator('FastGelu'), [graph.value(inputs.x)])),
  ),

  /** With h = sigmoid(u), u = 2 A (x + B x³): dy/dx = h (1 + x (1 - h) du/dx). */
  GeluTanhGradient: kernel<'x' | 'dy'>(({ inputs, graph }) => {
    const [x, dy] = [graph.value(inputs.x), graph.value(inputs.dy)];
    const mul = (a: GraphValue, b: GraphValue) => graph.apply(MUL, [a, b]);
    const square = mul(x, x);
    const cubic = (factor: number) =>
      mul(
        graph.apply(ADD, [mul(square, graph.scalar(factor * GELU_A * GELU_B)), graph.scalar(2 * GELU_A)]),
        x,
      );
    const h = graph.apply(operator('Sigmoid'), [cubic(2)]);
    const rest = mul(graph.apply(SUB, [graph.scalar(1), h]), cubic(6));
    return graph.tensor(mul(dy, mul(h, graph.apply(ADD, [rest, graph.scalar(1)]))));
  }),

  SwiGlu: kernel<'gate' | 'up'>(({ inputs, graph }) =>
    graph.tensor(graph.apply(MUL, [graph.apply(SILU, [graph.value(inputs.gate)]), graph.value(inputs.up)])),
  ),

  /** Returns [dgate, dup]; the formula is in ops/activations.ts. */
  SwiGluGradient: kernel<'gate' | 'up' | 'dy'>(({ inputs, graph }) => {
    const [gate, up, dy] = [graph.value(inputs.gate), graph.value(inputs.up), graph.value(inputs.dy)];
    const mul = (a: GraphValue, b: GraphValue) => graph.apply(MUL, [a, b]);
    const h = graph.apply(operator('Sigmoid'), [gate]);
    const s = mul(gate, h);
    const slope = graph.apply(ADD, [mul(h, graph.apply(SUB, [graph.scalar(1), s])), s]);
    return [graph.tensor(mul(mul(dy, up), slope)), graph.tensor(mul(dy, s))];
  }),

  /** Each token has its own row of angles: token i of the single sequence takes row i, so positions count from 0. */
  Rotary: kernel<'x' | 'cosines' | 'sines', { headDim: number }>(
    ({ inputs, attributes: { headDim }, graph }) => {
      const [x, cosines, sines] = [inputs.x, inputs.cosines, inputs.sines].map((tensor) =>
        graph.value(tensor),
      ) as [GraphValue, GraphValue, GraphValue]; // one for each
      const [tokens = 0, width = 0] = x.shape;
      const rotaryDim = 2 * (cosines.shape[1] ?? 0);
      const row = graph.view(x, [1, tokens, width]);
      const settings = {
        num_heads: width / headDim,
        ...(rotaryDim < headDim ? { rotary_embedding_dim: rotaryDim } : {}),
      };
      const rotated = graph.add({
        operator: operator('RotaryEmbedding', settings),
        inputs: [row, graph.integers([0]), cosines, sines],
        shape: row.shape,
      });
      return graph.tensor(rotated, inputs.x.shape);
    },
  ),

  ScaledMatMul: kernel<'a' | 'b', { transposeA: boolean; transposeB: boolean; scale: number }>(
    ({ inputs, attributes, graph }) =>
      graph.tensor(matMul(graph, { a: graph.value(inputs.a), b: graph.value(inputs.b), ...attributes })),
  ),

  /** Returns [log softmax of the logits, its entry at each target or 0]. */
  TargetLogProbabilities: kernel<'logits' | 'targets'>(({ inputs, graph }) => {
    const logits = graph.value(inputs.logits);
    const logProbabilities = logSoftmax(graph, { logits, axis: -1 });
    const { column, isIgnored } = targetColumn(graph, graph.value(inputs.targets));
    const gather = operator('GatherElements', { axis: 1 });
    const picked = graph.add({ operator: gather, inputs: [logProbabilities, column], shape: column.shape });
    const ofTargets = graph.apply(WHERE, [isIgnored, graph.scalar(0), picked]);
    return [graph.tensor(logProbabilities), graph.tensor(graph.view(ofTargets, inputs.targets.shape))];
  }),

  /** factor_i (softmax_i - onehot(target_i)), with one addition per row: no element is added to twice. */
  CrossEntropyGradient: kernel<'logProbabilities' | 'targets' | 'factors'>(({ inputs, graph }) => {
    const logProbabilities = graph.value(inputs.logProbabilities);
    const { column } = targetColumn(graph, graph.value(inputs.targets));
    const factors = graph.view(graph.value(inputs.factors), column.shape);
    const weighted = graph.apply(MUL, [graph.apply(operator('Exp'), [logProbabilities]), factors]);
    const scatter = operator('ScatterElements', { axis: 1, reduction: 'add' });
    const updates = graph.apply(operator('Neg'), [factors]);
    return graph.tensor(
      graph.add({ operator: scatter, inputs: [weighted, column, updates], shape: weighted.shape }),
    );
  }),
};

/** Targets, and which of them are ignored, [N, 1] each. An ignored target becomes 0: its factor is 0. */
function targetColumn(
  graph: GraphRecorder,
  targets: GraphValue,
): { readonly column: GraphValue; readonly isIgnored: GraphValue } {
  const all = graph.view(graph.cast(targets, 'int32'), [targets.shape[0] ?? 0, 1]);
  const isIgnored = graph.test(operator('Equal'), [all, graph.scalar(IGNORED_TARGET, 'int32')]);
  return { column: graph.apply(WHERE, [isIgnored, graph.scalar(0, 'int32'), all]), isIgnored };
}
