import type { LoadConfig } from '../generated/load-config.ts';
import { readAlpacaEval } from './alpaca-eval.ts';
import { readArena } from './arena/arena.ts';
import { readBbh } from './bbh.ts';
import type { BenchmarkReader } from './benchmark.ts';
import { readBigBench } from './big-bench.ts';
import { readGlue } from './glue/glue.ts';
import { readHumanEval } from './human-eval.ts';
import { readMmlu } from './mmlu.ts';
import { readMtBench } from './mt-bench.ts';
import { readOpenaiEvals } from './openai-evals/read-openai-evals.ts';
import { readSquad } from './squad.ts';
import { readSuperGlue } from './super-glue/super-glue.ts';
import { readTriviaQa } from './trivia-qa.ts';

export type BenchmarkName = NonNullable<LoadConfig['as']>;

/** The reader of each benchmark's own layout. */
export const benchmarkReaders: Readonly<Record<BenchmarkName, BenchmarkReader>> = {
  mmlu: readMmlu,
  glue: readGlue,
  superglue: readSuperGlue,
  bigbench: readBigBench,
  bbh: readBbh,
  squad: readSquad,
  triviaqa: readTriviaQa,
  humaneval: readHumanEval,
  alpaca_eval: readAlpacaEval,
  openai_evals: readOpenaiEvals,
  arena: readArena,
  mt_bench: readMtBench,
};
