import { fieldOf, itemsOf, optionalField, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJson } from '../../evaluate/benchmarks/files/read-json.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

/** SQuAD's JSON, 1.1 or 2.0: a row a question, with its passage. */
export const readSquad: BenchmarkReader = async function* ({ path }) {
  const articles = itemsOf(fieldOf(await readJson({ path, name: path }), 'data'));
  const seen = new Map<string, number>();
  for (const article of articles) {
    const title = optionalField(article, 'title');
    for (const paragraph of itemsOf(fieldOf(article, 'paragraphs'))) {
      const context = textOf(fieldOf(paragraph, 'context'));
      for (const question of itemsOf(fieldOf(paragraph, 'qas'))) {
        const questionId = textOf(fieldOf(question, 'id'));
        const count = (seen.get(questionId) ?? 0) + 1;
        seen.set(questionId, count);
        yield {
          id: count === 1 ? questionId : `${questionId}-${count}`,
          row: {
            question_id: questionId,
            title: title === undefined ? '' : textOf(title),
            context,
            question: textOf(fieldOf(question, 'question')),
            answers: itemsOf(fieldOf(question, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
          },
        };
      }
    }
  }
};
