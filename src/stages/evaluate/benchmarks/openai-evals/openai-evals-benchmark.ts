import type { Benchmark } from '../benchmark.ts';
import { meanScore } from '../benchmark-scores.ts';
import { fuzzyF1, type Matcher } from './matchers.ts';
import { readSamples } from './read-samples.ts';

interface Template {
  readonly summary: string;
  readonly matches: Matcher;
  /** The template reports F1 as well. */
  readonly hasF1?: boolean;
  /** Ideal answers are JSON texts. */
  readonly isJson?: boolean;
}

/** A basic template of OpenAI Evals: a completion is right if one ideal answer of its sample matches. */
export const openaiEvalsBenchmark = ({ summary, matches, hasF1, isJson = false }: Template): Benchmark => ({
  summary,
  data: { file: 'the samples with ideal answers (JSONL)', example: 'samples.jsonl' },
  predictions: { file: 'index and completion (JSONL)', example: 'completions.jsonl' },
  score: async ({ data, predictions }) => {
    const samples = await readSamples({ samples: data, completions: predictions, isJson });
    const right = samples.map(({ completion, ideals }) =>
      ideals.some((ideal) => matches(completion, ideal)) ? 1 : 0,
    );
    const f1 = samples.map(({ completion, ideals }) => fuzzyF1(completion, ideals));
    return {
      metrics: [
        meanScore({ metric: 'accuracy', values: right }),
        ...(hasF1 ? [meanScore({ metric: 'f1_score', values: f1 })] : []),
      ],
      remarks: [],
    };
  },
});
