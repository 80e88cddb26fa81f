import { operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

type Inputs = 'query' | 'key' | 'value' | 'keys' | 'values' | 'lengths';

/** Kernels that write a result into the memory of an input, which only the native runner can. */
export const inPlaceKernels = {
  /** The new keys and values are written into the memory of `keys` and `values`, each row at its own length. */
  CachedAttention: kernel<Inputs, { window: number; scoreCap: number }>(
    ({ inputs, attributes: { window, scoreCap }, graph }) => {
      const [keys, values] = [graph.value(inputs.keys), graph.value(inputs.values)];
      const [batch = 0, heads = 0, slots = 0, headDim = 0] = keys.shape;
      const query = graph.value(inputs.query);
      const [, queryWidth = 0] = query.shape;
      const [attended, newKeys, newValues] = graph.addMany({
        operator: operator('GroupQueryAttention', {
          num_heads: queryWidth / headDim,
          kv_num_heads: heads,
          ...(window === 0 ? {} : { local_window_size: window }),
          ...(scoreCap === 0 ? {} : { softcap: scoreCap }),
        }),
        inputs: [
          graph.view(query, [batch, 1, queryWidth]),
          graph.view(graph.value(inputs.key), [batch, 1, heads * headDim]),
          graph.view(graph.value(inputs.value), [batch, 1, heads * headDim]),
          ...[keys, values, graph.value(inputs.lengths), graph.size(slots)],
        ],
        outputs: [
          { shape: [batch, 1, queryWidth], type: 'float32' },
          { shape: keys.shape, type: 'float32' },
          { shape: values.shape, type: 'float32' },
        ],
      });
      if (attended === undefined || newKeys === undefined || newValues === undefined)
        throw new Error('GroupQueryAttention was recorded without its three outputs.');
      newKeys.overwrites = keys;
      newValues.overwrites = values;
      return graph.tensor(attended, query.shape);
    },
  ),
};
