import { bbhCotTemplate, bbhTemplate } from './bbh.ts';
import type { ExampleTemplate } from './benchmark.ts';
import { bigBenchTemplate } from './big-bench.ts';
import { glueTemplate } from './glue/glue-tasks.ts';
import { humanEvalTemplate } from './human-eval.ts';
import { mmluHarnessTemplate, mmluTemplate } from './mmlu.ts';
import { openaiEvalsGradeTemplate } from './model-graded.ts';
import { openaiEvalsTemplate } from './openai-evals/openai-evals.ts';
import { squadTemplate } from './squad.ts';
import { superGlueTemplate } from './super-glue/super-glue-template.ts';
import { triviaQaTemplate } from './trivia-qa.ts';

/** Name -> the template of a benchmark's questions. */
export const benchmarkTemplates = {
  mmlu: mmluTemplate,
  'mmlu-harness': mmluHarnessTemplate,
  glue: glueTemplate,
  superglue: superGlueTemplate,
  bigbench: bigBenchTemplate,
  bbh: bbhTemplate,
  'bbh-cot': bbhCotTemplate,
  squad: squadTemplate,
  triviaqa: triviaQaTemplate,
  humaneval: humanEvalTemplate,
  openai_evals: openaiEvalsTemplate,
  'openai-evals-grade': openaiEvalsGradeTemplate,
} satisfies Record<string, ExampleTemplate>;

export type BenchmarkTemplateName = keyof typeof benchmarkTemplates;

export const isBenchmarkTemplate = (name: string): name is BenchmarkTemplateName =>
  Object.hasOwn(benchmarkTemplates, name);
