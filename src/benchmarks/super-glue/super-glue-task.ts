import type { JsonObject } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { Score, ScoredResponse } from '../../metrics/index.ts';
import type { BenchmarkRow, Scorer } from '../benchmark.ts';
import type { Located } from '../located.ts';

export interface SuperGlueTask {
  /** As SuperGLUE's archives are unpacked. */
  readonly folder: string;
  /** The rows of a line. */
  readonly readRows: (item: Located) => Iterable<BenchmarkRow>;
  /** lm-evaluation-harness's question. */
  readonly question: (row: JsonObject) => Question;
  /** The labels that its choices stand for, in the same order. */
  readonly labels?: readonly string[];
  readonly scoreResponses: (responses: readonly ScoredResponse[], config: EvaluateConfig) => readonly Score[];
  readonly scorer: Scorer;
  /** The figures that count in the benchmark's mean; all if absent, none for a diagnostic set. */
  readonly counted?: readonly string[];
}

export interface Question {
  readonly prompt: string;
  readonly choices: readonly string[];
  /** The right answer, if it is not the choice of the row's label. */
  readonly response?: string;
}
