import { fieldOf, type Located, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJsonLines } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

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
