import { UserError } from '../core/index.ts';
import { plainMean, type RatedResponse, type SetMetric } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkReader, ExampleTemplate } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, meanScore } from './benchmark-scores.ts';
import { booleanOf, fieldOf, type Located, placeOf, readJsonLines, textOf } from './located.ts';

export const humanEvalBenchmark: Benchmark = {
  summary: 'pass@1, 10 and 100 of test results; no code runs',
  data: { file: 'the problems (JSONL, may be gzipped)', example: 'HumanEval.jsonl.gz' },
  predictions: { file: 'the results of their tests (JSONL)', example: 'samples.jsonl_results.jsonl' },
  score: async ({ data, predictions }) =>
    scorePasses(await readResults({ problems: data, results: predictions })),
};

const fields = ['prompt', 'entry_point', 'canonical_solution', 'test'];

/** HumanEval's JSONL, gzipped or not: a row a problem. */
export const readHumanEval: BenchmarkReader = async function* ({ path }) {
  for (const problem of await readJsonLines({ path, name: path })) {
    const text = (name: string) => textOf(fieldOf(problem, name));
    yield {
      id: text('task_id'),
      row: Object.fromEntries(['task_id', ...fields].map((name) => [name, text(name)])),
      place: { path, line: lineOf(problem, path) },
    };
  }
};

const lineOf = ({ file }: Located, path: string): number => Number(file.slice(path.length + 1));

/** HumanEval: the program's beginning as it stands. */
export const humanEvalTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: requiredText(row, 'prompt'),
    header: '',
    response: optionalText(row, 'canonical_solution'),
  }),
};

/** How many samples of a problem were tried, and how many passed its tests. */
interface Attempts {
  readonly samples: number;
  readonly passed: number;
}

/** Attempts by problem, from the lines {task_id, passed} that human-eval writes. Every problem has to be attempted. */
async function readResults(files: {
  problems: BenchmarkFile;
  results: BenchmarkFile;
}): Promise<ReadonlyMap<string, Attempts>> {
  const problems = (await readJsonLines(files.problems)).map((line) => textOf(fieldOf(line, 'task_id')));
  const attempts = new Map(problems.map((id) => [id, { samples: 0, passed: 0 }]));
  for (const line of await readJsonLines(files.results)) {
    const id = textOf(fieldOf(line, 'task_id'));
    const before = attempts.get(id);
    if (before === undefined) throw unknownProblem(line, { id, file: files.problems });
    const passed = booleanOf(fieldOf(line, 'passed')) ? 1 : 0;
    attempts.set(id, { samples: before.samples + 1, passed: before.passed + passed });
  }
  const missed = problems.filter((id) => attempts.get(id)?.samples === 0);
  if (missed.length > 0) throw notAttempted(missed, { total: problems.length, file: files.results });
  return attempts;
}

const unknownProblem = (line: Located, { id, file }: { id: string; file: BenchmarkFile }): UserError =>
  new UserError({
    code: 'unknown-problem',
    message: `${placeOf(line)}: ${file.name} has no problem \`${id}\``,
  });

const notAttempted = (
  missed: readonly string[],
  { total, file }: { total: number; file: BenchmarkFile },
): UserError =>
  new UserError({
    code: 'not-attempted',
    message: `${file.name}: ${missed.length} of ${total} problems have no sample: ${missed.slice(0, 5).join(', ')}${missed.length > 5 ? ', ...' : ''}`,
    help: 'pass@k is defined over all problems: try each at least once',
  });

/** pass@k for 1, 10 and 100, as far as every problem has that many samples: shares of 1, as human-eval prints them. */
function scorePasses(attempts: ReadonlyMap<string, Attempts>): BenchmarkScores {
  const problems = [...attempts.values()];
  const fewest = Math.min(...problems.map(({ samples }) => samples));
  const possible = [1, 10, 100].filter((k) => k === 1 || k <= fewest);
  return {
    metrics: possible.map((k) =>
      meanScore({ metric: `pass@${k}`, values: problems.map((problem) => passAtK(problem, k)) }),
    ),
    remarks: [],
  };
}

/**
 * The unbiased estimate that one of k samples passes, 1 - C(n - c, k) / C(n, k), as the product
 * 1 - prod(1 - k / i), i = n - c + 1 ... n (Chen et al., Evaluating Large Language Models Trained on Code, 2021).
 */
function passAtK({ samples, passed }: Attempts, k: number): number {
  if (samples - passed < k) return 1;
  let allFail = 1;
  for (let i = samples - passed + 1; i <= samples; i += 1) allFail *= 1 - k / i;
  return 1 - allFail;
}

/** The unbiased estimate that one of k samples passes (Chen et al. 2021), as the mean over problems. */
export const passAtKMetric: SetMetric = {
  reads: 'program',
  score: (rated, { pass_at_k: { k: sizes, problem_field: field } }) => {
    const problems = [...attemptsByProblem(rated, field).values()];
    const fewest = Math.min(...problems.map(({ samples }) => samples));
    const metrics = sizes.map((k) => {
      if (k > fewest) throw tooFewSamples(k, fewest);
      const { mean: value, standardError } = plainMean(problems.map((problem) => passAtK(problem, k)));
      return {
        metric: `pass@${k}`,
        value,
        higher_is_better: true,
        count: problems.length,
        ...(standardError === undefined ? {} : { standard_error: standardError }),
      };
    });
    return { metrics, values: new Map(rated.map(({ response }) => [response.id, response.passed ? 1 : 0])) };
  },
};

function attemptsByProblem(rated: readonly RatedResponse[], field: string): ReadonlyMap<string, Attempts> {
  const attempts = new Map<string, Attempts>();
  for (const { response } of rated) {
    const problem = response.fields[field];
    if (typeof problem !== 'string') throw withoutProblem(response.id, field);
    const { samples, passed } = attempts.get(problem) ?? { samples: 0, passed: 0 };
    attempts.set(problem, { samples: samples + 1, passed: passed + (response.passed ? 1 : 0) });
  }
  return attempts;
}

const withoutProblem = (id: string, field: string) =>
  new UserError({
    code: 'missing-field',
    message: `the response ${id} does not say which problem it is for: its row has no text in \`${field}\``,
    help: '`pass_at_k.problem_field` names the field',
  });

const tooFewSamples = (k: number, fewest: number) =>
  new UserError({
    code: 'too-few-samples',
    message: `pass@${k} cannot be taken: a problem has only ${fewest} ${fewest === 1 ? 'sample' : 'samples'}`,
    help: `set \`samples: ${k}\` in the generate stage that they come from, or take a smaller \`k\``,
  });
