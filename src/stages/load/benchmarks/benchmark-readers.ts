import type { LoadConfig } from '../../../generated/load-config.ts';
import type { BenchmarkReader } from './benchmark-row.ts';
import { readAlpacaEval } from './read-alpaca-eval.ts';
import { readArena } from './read-arena.ts';
import { readBbh } from './read-bbh.ts';
import { readBigBench } from './read-big-bench.ts';
import { readGlue } from './read-glue.ts';
import { readHumanEval } from './read-human-eval.ts';
import { readMmlu } from './read-mmlu.ts';
import { readMtBench } from './read-mt-bench.ts';
import { readOpenaiEvals } from './read-openai-evals.ts';
import { readSquad } from './read-squad.ts';
import { readSuperGlue } from './read-super-glue.ts';
import { readTriviaQa } from './read-trivia-qa.ts';

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
