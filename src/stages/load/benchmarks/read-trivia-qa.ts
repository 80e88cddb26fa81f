import { fieldOf, itemsOf, textOf } from '../../evaluate/benchmarks/files/located.ts';
import { readJson } from '../../evaluate/benchmarks/files/read-json.ts';
import { readTriviaQuestions } from '../../evaluate/benchmarks/trivia-qa/read-trivia-questions.ts';
import type { BenchmarkReader } from './benchmark-row.ts';

/** TriviaQA's JSON: a row a key, which is a question of the Wikipedia domain, or a document of a question of the Web domain. */
export const readTriviaQa: BenchmarkReader = async function* ({ path }) {
  const file = { path, name: path };
  const keys = await readTriviaQuestions(file);
  const questions = itemsOf(fieldOf(await readJson(file), 'Data')).map((question) => ({
    id: textOf(fieldOf(question, 'QuestionId')),
    question: textOf(fieldOf(question, 'Question')),
    answer: textOf(fieldOf(fieldOf(question, 'Answer'), 'Value')),
    aliases: itemsOf(fieldOf(fieldOf(question, 'Answer'), 'Aliases')).map(textOf),
  }));
  const byId = new Map(questions.map((question) => [question.id, question]));
  for (const [key, answers] of keys) {
    const { question = '', answer = '', aliases = [] } = byId.get(key.split('--')[0] ?? '') ?? {};
    yield { id: key, row: { question, answer, aliases, answers: [...answers] } };
  }
};
