import { AnswerJournal } from './answer-journal.ts';
import type { Answer, AnswerSource } from './answer-source.ts';
import { cleanAnswer } from './clean-answer.ts';
import type { Generated, Generation } from './generation.ts';
import type { Question } from './question.ts';
import { Tally } from './tally.ts';

export interface AskedSource {
  readonly source: AnswerSource;
  /** What makes the answers; those of an interrupted run count only where it was the same. */
  readonly fingerprint: string;
}

/** Puts every question to a source and gives the responses in the questions' order. */
export async function askAll(
  generation: Generation,
  { source, fingerprint }: AskedSource,
): Promise<Generated> {
  const { config, questions, statePath, host } = generation;
  const journal = await AnswerJournal.open(statePath, fingerprint);
  const answers = new Map(journal.known);
  const tally = new Tally(host, { total: questions.length, known: answers.size });
  await source({
    requests: questions.filter(({ id }) => !answers.has(id)).map(({ id, prompt }) => ({ id, prompt })),
    sampling: config,
    signal: host.signal,
    onAnswer: (answer) => {
      answers.set(answer.id, answer);
      journal.add(answer);
      tally.add(answer.tokens ?? 0);
    },
  });
  const responses = questions.map((question) => {
    const { text, finishReason } = answerTo(question, answers);
    // A header that was given is not expected in the answer, and what looks like it there is the answer's own.
    const header = config.start === 'prompt' ? question.header : '';
    const response = config.clean ? cleanAnswer(text, header) : text;
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
