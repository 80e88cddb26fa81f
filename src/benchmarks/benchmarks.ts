import type { Metrics } from '../metrics/index.ts';
import { alpacaEval } from './alpaca-eval.ts';
import { arena } from './arena/arena.ts';
import { bbh } from './bbh.ts';
import type {
  Benchmark,
  BenchmarkName,
  BenchmarkRow,
  BenchmarkSource,
  BenchmarkTemplate,
  BenchmarkTemplateName,
  Scorer,
} from './benchmark.ts';
import { bigBench } from './big-bench.ts';
import { glue } from './glue/glue.ts';
import { humanEval } from './human-eval.ts';
import { lmEval } from './lm-eval/lm-eval.ts';
import { mmlu } from './mmlu.ts';
import { mtBench } from './mt-bench.ts';
import { openaiEvals } from './openai-evals/openai-evals.ts';
import { predictions } from './predictions.ts';
import { squad } from './squad.ts';
import { superGlue } from './super-glue/super-glue.ts';
import { triviaQa } from './trivia-qa.ts';

/** Every benchmark. All that the stages and `tuneloom score` know of them follows from this list. */
export const benchmarks: readonly Benchmark[] = [
  mmlu,
  squad,
  triviaQa,
  bigBench,
  bbh,
  humanEval,
  alpacaEval,
  arena,
  mtBench,
  glue,
  superGlue,
  openaiEvals,
  lmEval,
  predictions,
];

/** Score's name -> scorer. */
export const scorers: ReadonlyMap<string, Scorer> = new Map(
  benchmarks.flatMap((benchmark) => Object.entries(benchmark.scorers ?? {})),
);

/** The benchmarks' metrics. */
export const benchmarkMetrics: Metrics = Object.assign({}, ...benchmarks.map(({ metrics }) => metrics));

const templates = new Map<string, BenchmarkTemplate>(
  benchmarks.flatMap((benchmark) => Object.entries(benchmark.templates ?? {})),
);

/** The template of a benchmark's questions. */
export const benchmarkTemplate = (name: BenchmarkTemplateName): BenchmarkTemplate =>
  declared('template', name, templates.get(name));

/** The field of a row in which a template finds the benchmark's own examples, if it has such a field. */
export const examplesField = (template: unknown): string | undefined =>
  typeof template === 'string' ? templates.get(template)?.examplesIn : undefined;

/** The rows of a benchmark's file or folder. */
export function readBenchmarkRows(
  name: BenchmarkName,
  { split, ...source }: Omit<BenchmarkSource, 'split'> & { readonly split: string | undefined },
): AsyncIterable<BenchmarkRow> {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  const { read, defaultSplit = '' } = declared('benchmark', name, found);
  return read({ split: split ?? defaultSplit, ...source });
}

/** The schemas' names follow from the list by `npm run generate`, so every valid name is found. */
function declared<Found>(what: string, name: string, found: Found | undefined): Found {
  if (found === undefined) throw new Error(`no benchmark declares the ${what} ${name}`);
  return found;
}
