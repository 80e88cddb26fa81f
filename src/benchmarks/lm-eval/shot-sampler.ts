import { canonicalJson, type JsonObject, UserError } from '../../core/index.ts';
import { PythonRandom } from './python-random.ts';

/** lm-evaluation-harness's `--seed` for examples. */
const seed = 1234;

export interface ShotSampler {
  /** The examples of a question. Draws follow each other, so questions must come in their order. */
  readonly sample: (row: JsonObject) => readonly JsonObject[];
}

interface Shots {
  readonly count: number;
  readonly sampler: 'default' | 'first_n';
  readonly pool: readonly JsonObject[];
  /** Whether a question must not be its own example. */
  readonly excludesQuestion: boolean;
}

export function shotSampler({ count, sampler, pool, excludesQuestion }: Shots): ShotSampler {
  if (count === 0) return { sample: () => [] };
  const identities = excludesQuestion ? pool.map(canonicalJson) : [];
  const need = (available: number, least: number): void => {
    if (available >= least) return;
    throw new UserError({
      code: 'too-few-shots',
      message: `${least} rows are needed to draw ${count} examples from, but there are ${available}`,
      help: 'lower `num_fewshot`',
    });
  };
  const others = (row: JsonObject): readonly JsonObject[] => {
    const identity = canonicalJson(row);
    return pool.filter((_, index) => identities[index] !== identity);
  };
  if (sampler === 'first_n')
    return {
      sample: (row) => {
        const from = excludesQuestion ? others(row) : pool;
        need(from.length, count);
        return from.slice(0, count);
      },
    };
  const random = new PythonRandom(seed);
  const drawn = (from: readonly JsonObject[], many: number): readonly JsonObject[] => {
    need(from.length, many);
    return random.sample(from.length, many).map((index) => from[index] ?? {});
  };
  return {
    sample: (row) => {
      if (!excludesQuestion) return drawn(pool, count);
      // One more than needed, for the question itself may be among them.
      const identity = canonicalJson(row);
      const kept = drawn(pool, count + 1).filter((shot) => canonicalJson(shot) !== identity);
      return kept.length < count ? drawn(others(row), count) : kept.slice(0, count);
    },
  };
}
