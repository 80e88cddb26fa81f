import { alpacaEvalBenchmark } from './alpaca-eval.ts';
import { arenaBenchmark } from './arena/arena.ts';
import type { Benchmark } from './benchmark.ts';
import { glueBenchmark } from './glue/glue.ts';
import { glueTasks } from './glue/glue-tasks.ts';
import { humanEvalBenchmark } from './human-eval.ts';
import { fuzzyMatch, includes, includesAnyCase, jsonMatch, startsWith } from './openai-evals/matchers.ts';
import { openaiEvalsBenchmark } from './openai-evals/openai-evals.ts';
import { squadBenchmark } from './squad.ts';
import { multiRcBenchmark, recordBenchmark } from './super-glue/answer-sets.ts';
import { superGlueBenchmark, superGlueTasks } from './super-glue/super-glue.ts';
import { triviaQaBenchmark } from './trivia-qa.ts';

const entriesBelow = <Task>(
  prefix: string,
  { tasks, benchmark }: { tasks: Readonly<Record<string, Task>>; benchmark: (task: Task) => Benchmark },
): readonly (readonly [string, Benchmark])[] =>
  Object.entries(tasks).map(([name, task]) => [`${prefix}/${name}`, benchmark(task)]);

/** Every benchmark by its name; a task of a collection is `<collection>/<task>`. */
export const benchmarks: ReadonlyMap<string, Benchmark> = new Map<string, Benchmark>([
  ['squad', squadBenchmark],
  ['triviaqa', triviaQaBenchmark],
  ['humaneval', humanEvalBenchmark],
  ['alpaca-eval', alpacaEvalBenchmark],
  ['arena', arenaBenchmark],
  ...entriesBelow('glue', { tasks: glueTasks, benchmark: glueBenchmark }),
  ...entriesBelow('superglue', { tasks: superGlueTasks, benchmark: superGlueBenchmark }),
  ['superglue/multirc', multiRcBenchmark],
  ['superglue/record', recordBenchmark],
  ...entriesBelow('openai-evals', {
    tasks: {
      match: { summary: 'begins with an answer', matches: startsWith },
      includes: { summary: 'holds an answer', matches: includes },
      'includes-any-case': { summary: 'the same, in any case', matches: includesAnyCase },
      fuzzy: { summary: 'like an answer, and F1', matches: fuzzyMatch, hasF1: true },
      json: { summary: 'the same JSON as an answer', matches: jsonMatch, isJson: true },
    },
    benchmark: openaiEvalsBenchmark,
  }),
]);
