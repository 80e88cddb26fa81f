import type { Json } from '../../json.ts';
import { ExampleMemo, type MemoQuestion } from './example-memo.ts';
import type { Generation } from './generation.ts';
import type { Question } from './question.ts';

interface Remembering<Result> {
  /** What makes the results, as far as the key says nothing of it. */
  readonly fingerprint: string;
  /** All that a result depends on, of what is particular to the question. */
  readonly asks: (question: Question) => MemoQuestion;
  /** Undefined for what is no result. */
  readonly decode: (value: unknown) => Result | undefined;
}

/** The questions of a generation, and the results that are there. */
export interface Remembered<Result> {
  /** What has to be asked: questions without a result, one of those that ask the same. */
  readonly open: readonly Question[];
  /** How many questions need not be asked. */
  readonly known: number;
  /** Takes in the result for an open question. */
  readonly add: (id: string, result: Result) => void;
  /** Throws where there is no result yet. */
  readonly resultOf: (question: Question) => Result;
}

/**
 * Looks up which questions have their results from before, under whatever key. Without a memo to share, as where a stage
 * is forced, what an interrupted attempt at the same key left is all that counts.
 */
export async function remembered<Result extends Json>(
  { questions, memoPath, statePath }: Generation,
  { fingerprint, asks, decode }: Remembering<Result>,
): Promise<Remembered<Result>> {
  const memo = await ExampleMemo.open({ folder: memoPath ?? statePath, fingerprint }, decode);
  const missing = questions.filter((question) => memo.find(asks(question)) === undefined);
  const distinct = new Map(missing.map((question) => [JSON.stringify(asks(question)), question]));
  const open = new Map([...distinct.values()].map((question) => [question.id, question]));
  return {
    open: [...open.values()],
    known: questions.length - missing.length,
    add: (id, result) => {
      const question = open.get(id);
      if (question === undefined) throw new Error(`A result came for ${id}, which was not asked`);
      memo.add(asks(question), result);
    },
    resultOf: (question) => {
      const result = memo.find(asks(question));
      if (result === undefined) throw new Error(`No result came for ${question.id}`);
      return result;
    },
  };
}
