import { fieldOf, itemsOf, labelOf, optionalField, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJsonLines } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

/** MT-Bench's question.jsonl: a row a question of several turns; the first is also its `instruction`. */
export const readMtBench: BenchmarkReader = async function* ({ path, tasks }) {
  for (const question of await readJsonLines({ path, name: path })) {
    const category = textOf(fieldOf(question, 'category'));
    if (tasks !== undefined && !tasks.includes(category)) continue;
    const turns = itemsOf(fieldOf(question, 'turns')).map(textOf);
    const reference = optionalField(question, 'reference');
    yield {
      id: labelOf(fieldOf(question, 'question_id')),
      row: {
        category,
        turns,
        instruction: turns[0] ?? '',
        ...(reference === undefined ? {} : { reference: itemsOf(reference).map(textOf) }),
      },
      place: { path, line: Number(question.file.slice(path.length + 1)) },
    };
  }
};
