import type { Answer, AnswerSource } from './answer-source.ts';
import { cleanAnswer } from './clean-answer.ts';
import type { Generated, Generation } from './generation.ts';
import type { Question } from './question.ts';
import { Tally } from './tally.ts';

/** Puts every question to a source and gives the responses in the questions' order. */
export async function askAll(
  { config, questions, host }: Generation,
  source: AnswerSource,
): Promise<Generated> {
  const answers = new Map<string, Answer>();
  const tally = new Tally(host, questions.length);
  await source({
    requests: questions.map(({ id, prompt }) => ({ id, prompt })),
    sampling: config,
    signal: host.signal,
    onAnswer: (answer) => {
      answers.set(answer.id, answer);
      tally.add(answer.tokens ?? 0);
    },
  });
  const responses = questions.map((question) => {
    const { text, finishReason } = answerTo(question, answers);
    const response = config.clean ? cleanAnswer(text, question.header) : text;
    const { id, prompt, expected, fields } = question;
    return { id, prompt, expected, fields, response, finish_reason: finishReason };
  });
  return { responses, measurements: tally.measurements() };
}

function answerTo({ id }: Question, answers: ReadonlyMap<string, Answer>): Answer {
  const answer = answers.get(id);
  if (answer === undefined) throw new Error(`The source gave no answer to ${id}`);
  return answer;
}
