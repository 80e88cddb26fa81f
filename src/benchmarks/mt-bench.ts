import type { BenchmarkReader } from './benchmark.ts';
import { fieldOf, itemsOf, labelOf, optionalField, readJsonLines, textOf } from './located.ts';

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
