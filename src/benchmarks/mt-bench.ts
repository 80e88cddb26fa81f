import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import { fieldOf, itemsOf, labelOf, optionalField, readJsonLines, textOf } from './located.ts';

/** MT-Bench (Zheng et al., Judging LLM-as-a-Judge, 2023). */
export const mtBench: Benchmark = {
  name: 'mt_bench',
  layout: { records: '`question.jsonl`', fields: '`category`, `turns`, `instruction`' },
  read: readQuestions,
};

/** A row for each question of several turns; the first is also its `instruction`. */
async function* readQuestions({ path, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
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
      place: { path, line: question.line },
    };
  }
}
