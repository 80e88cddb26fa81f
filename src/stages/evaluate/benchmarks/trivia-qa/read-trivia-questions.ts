import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { booleanOf, fieldOf, itemsOf, type Located, optionalField, textOf, unfit } from '../files/located.ts';
import { readJson } from '../files/read-json.ts';
import { normalizeTrivia } from './normalize-trivia.ts';

/**
 * The answers that are right, normalised, by the key of a prediction: the question's id in the Wikipedia domain, and
 * `<id>--<file name>` for each of its documents in the Web domain. Where the file is a verified evaluation, only
 * questions and documents that are part of it count.
 */
export async function readTriviaQuestions(
  file: BenchmarkFile,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const root = await readJson(file);
  const verified = booleanOf(fieldOf(root, 'VerifiedEval'));
  const keysIn = keysOf(fieldOf(root, 'Domain'), verified);
  const questions = itemsOf(fieldOf(root, 'Data')).filter(
    (question) => !verified || booleanOf(fieldOf(question, 'QuestionPartOfVerifiedEval')),
  );
  return new Map(
    questions.flatMap((question) => {
      const answers = answersOf(fieldOf(question, 'Answer'));
      return keysIn(question).map((key) => [key, answers] as const);
    }),
  );
}

function keysOf(domain: Located, verified: boolean): (question: Located) => readonly string[] {
  switch (domain.value) {
    case 'Wikipedia':
      return (question) => [textOf(fieldOf(question, 'QuestionId'))];
    case 'Web':
      return (question) => {
        const id = textOf(fieldOf(question, 'QuestionId'));
        return documentsOf(question)
          .filter((document) => !verified || booleanOf(fieldOf(document, 'DocPartOfVerifiedEval')))
          .map((document) => `${id}--${textOf(fieldOf(document, 'Filename'))}`);
      };
    default:
      throw unfit(domain, 'Wikipedia or Web');
  }
}

const documentsOf = (question: Located): readonly Located[] =>
  ['EntityPages', 'SearchResults'].flatMap((name) => {
    const documents = optionalField(question, name);
    return documents === undefined ? [] : itemsOf(documents);
  });

const answersOf = (answer: Located): readonly string[] => {
  const human = optionalField(answer, 'HumanAnswers');
  return [
    ...itemsOf(fieldOf(answer, 'NormalizedAliases')),
    ...(human === undefined ? [] : itemsOf(human)),
  ].map((text) => normalizeTrivia(textOf(text)));
};
