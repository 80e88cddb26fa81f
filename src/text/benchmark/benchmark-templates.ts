import { bbhCotTemplate, bbhTemplate } from './bbh-template.ts';
import { bigBenchTemplate } from './big-bench-template.ts';
import type { ExampleTemplate } from './example-template.ts';
import { glueTemplate } from './glue-template.ts';
import { openaiEvalsGradeTemplate } from './grader-template.ts';
import { mmluHarnessTemplate, mmluTemplate } from './mmlu-template.ts';
import {
  humanEvalTemplate,
  openaiEvalsTemplate,
  squadTemplate,
  triviaQaTemplate,
} from './question-templates.ts';
import { superGlueTemplate } from './super-glue-template.ts';

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
