import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';
import { matMul } from './product.ts';

const MUL = operator('Mul');
const ADD = operator('Add');
const FIRST_AXIS = operator('Concat', { axis: 0 });

type Inputs = 'x' | 'share' | 'gate' | 'up' | 'down';

/**
 * An expert of a mixture, computed for the tokens that are sent to it. Their number is known only when the graph runs:
 * values inside have fewer rows than the N that they are recorded with, and none of them leaves the graph.
 */
export const expertKernels = {
  /** [N, C] -> [N, C], 0 in the rows of other tokens. */
  Expert: kernel<Inputs>(({ inputs, graph }) => {
    const sent = sentTokens(graph, valuesOf(graph, inputs));
    const weighted = graph.apply(MUL, [sent.inner, sent.share]);
    const y = matMul(graph, { a: weighted, b: sent.down, transposeA: false, transposeB: true });
    return graph.tensor(sent.scatter(y));
  }),

  /** Returns the gradients by x, share, and, with `learns`, the three matrices. */
  ExpertGradient: kernel<Inputs | 'dy', { learns: boolean }>(({ inputs, attributes: { learns }, graph }) => {
    const sent = sentTokens(graph, valuesOf(graph, inputs));
    const mul = (a: GraphValue, b: GraphValue) => graph.apply(MUL, [a, b]);
    const times = (a: GraphValue, b: GraphValue) =>
      matMul(graph, { a, b, transposeA: false, transposeB: false });
    const ofWeight = (dy: GraphValue, x: GraphValue) =>
      graph.tensor(matMul(graph, { a: dy, b: x, transposeA: true, transposeB: false }));
    const dy = sent.gather(graph.value(inputs.dy)); // [n, C]
    const dWeighted = times(dy, sent.down); // [n, I]
    const dShare = graph.add({
      operator: operator('ReduceSum', { keepdims: 1 }),
      inputs: [mul(dWeighted, sent.inner), graph.integers([1])],
      shape: inputs.share.shape,
    });
    const dInner = mul(dWeighted, sent.share);
    // As in SwiGluGradient.
    const slope = graph.apply(ADD, [
      mul(sent.h, graph.apply(operator('Sub'), [graph.scalar(1), sent.activated])),
      sent.activated,
    ]);
    const [dGate, dUp] = [mul(mul(dInner, sent.upped), slope), mul(dInner, sent.activated)];
    const dx = graph.apply(ADD, [times(dGate, sent.gate), times(dUp, sent.up)]);
    return [
      graph.tensor(sent.scatter(dx)),
      graph.tensor(sent.scatter(dShare)),
      ...(learns
        ? [ofWeight(dGate, sent.x), ofWeight(dUp, sent.x), ofWeight(dy, mul(sent.inner, sent.share))]
        : []),
    ];
  }),
};

type Values = Readonly<Record<Inputs, GraphValue>>;

const valuesOf = (
  graph: GraphRecorder,
  { x, share, gate, up, down }: Readonly<Record<Inputs, Parameters<GraphRecorder['value']>[0]>>,
): Values => ({
  x: graph.value(x),
  share: graph.value(share),
  gate: graph.value(gate),
  up: graph.value(up),
  down: graph.value(down),
});

/**
 * The n rows whose share is not 0, and after them the first again with the share 0: ONNX Runtime computes a product with one
 * row in another order, and a token's bits may not depend on how many others are sent to the expert. Backward repeats
 * this; the engine computes it once.
 */
function sentTokens(graph: GraphRecorder, values: Values) {
  const { x, share, gate, up, down } = values;
  const [tokens = 0] = x.shape;
  const int64 = (type: string, inputs: readonly GraphValue[], shape: readonly number[]) =>
    graph.add({ operator: operator(type), inputs, shape, type: 'int64' });
  const found = int64('NonZero', [graph.cast(graph.view(share, [tokens]), 'bool')], [1, tokens]);
  const rows = int64('Reshape', [found, graph.integers([-1])], [tokens]);
  const column = int64('Reshape', [found, graph.integers([-1, 1])], [tokens, 1]);
  const part = (of: GraphValue, from: number, to: number) =>
    graph.add({
      operator: operator('Slice'),
      inputs: [of, graph.integers([from]), graph.integers([to]), graph.integers([0])],
      shape: of.shape,
      type: of.type,
    });
  const joined = (a: GraphValue, b: GraphValue) =>
    graph.add({ operator: FIRST_AXIS, inputs: [a, b], shape: a.shape, type: a.type });
  const gatherAt = (of: GraphValue, at: GraphValue) =>
    graph.add({ operator: operator('Gather', { axis: 0 }), inputs: [of, at], shape: of.shape });
  const padded = joined(rows, part(rows, 0, 1));
  const gather = (of: GraphValue) => gatherAt(of, padded);
  const ownShare = gatherAt(share, rows);
  const mul = (a: GraphValue, b: GraphValue) => graph.apply(MUL, [a, b]);
  const sentX = gather(x); // [n, C]
  const gated = matMul(graph, { a: sentX, b: gate, transposeA: false, transposeB: true }); // [n, I]
  const upped = matMul(graph, { a: sentX, b: up, transposeA: false, transposeB: true });
  const h = graph.apply(operator('Sigmoid'), [gated]);
  const activated = mul(gated, h);
  return {
    ...{ gate, up, down, x: sentX, upped, h, activated, gather },
    inner: mul(activated, upped),
    share: joined(ownShare, mul(part(ownShare, 0, 1), graph.scalar(0))),
    /** Into N rows, 0 elsewhere. */
    scatter: (of: GraphValue) => {
      const shape = [tokens, of.shape[1] ?? 0];
      const zeros = graph.filled(0, { shape, type: of.type });
      return graph.add({ operator: operator('ScatterND'), inputs: [zeros, column, part(of, 0, -1)], shape });
    },
  };
}
