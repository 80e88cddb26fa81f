import { createHash } from 'node:crypto';
import { appendFileSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../core/index.ts';
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
interface Remembered<Result> {
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

/** What decides about the result for one example: its prompt, and its id where draws depend on that. */
type MemoQuestion = readonly Json[];

interface MemoPlace {
  /** Shared by everything that gives the same result for the same question; several processes may write to it. */
  readonly folder: string;
  /** Names the engine that computes: floats differ between engines, so results never cross. */
  readonly fingerprint: string;
}

/** So much of results is remembered in one file, and no more. */
const mostBytes = 256 * 2 ** 20;

/**
 * Results of single examples, found again by what was asked: those of earlier runs, of an interrupted one, and of this
 * run as they come. Knows no modes: a result is any JSON value that `decode` accepts.
 */
export class ExampleMemo<Result extends Json> {
  readonly #path: string;
  readonly #known: Map<string, Result>;
  #bytes: number;

  private constructor(path: string, { known, bytes }: { known: Map<string, Result>; bytes: number }) {
    this.#path = path;
    this.#known = known;
    this.#bytes = bytes;
  }

  /** `decode` gives undefined for what is no result: such a line is asked again. */
  static async open<Result extends Json>(
    { folder, fingerprint }: MemoPlace,
    decode: (value: unknown) => Result | undefined,
  ): Promise<ExampleMemo<Result>> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${digest(fingerprint)}.jsonl`);
    const known = new Map<string, Result>();
    for (const line of (await readFile(path, 'utf8').catch(() => '')).split('\n')) {
      const { question, value } = parseLine(line) ?? {};
      const result = decode(value);
      if (question !== undefined && result !== undefined) known.set(question, result);
    }
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return new ExampleMemo(path, { known, bytes });
  }

  find(question: MemoQuestion): Result | undefined {
    return this.#known.get(digest(JSON.stringify(question)));
  }

  /** Synchronous, so that the line is with the operating system before anything else can end the process. */
  add(question: MemoQuestion, result: Result): void {
    const asked = digest(JSON.stringify(question));
    this.#known.set(asked, result);
    const content = JSON.stringify([asked, result]);
    // The newline comes first: a torn line before it must not swallow this one.
    const line = `\n${digest(content)} ${content}`;
    this.#bytes += Buffer.byteLength(line);
    if (this.#bytes <= mostBytes) appendFileSync(this.#path, line);
  }
}

/** Undefined for a line that was torn: its checksum is not that of its content. */
function parseLine(line: string): { readonly question: string; readonly value: unknown } | undefined {
  const space = line.indexOf(' ');
  const content = line.slice(space + 1);
  if (space <= 0 || digest(content) !== line.slice(0, space)) return undefined;
  const row: unknown = JSON.parse(content);
  if (!Array.isArray(row) || typeof row[0] !== 'string') return undefined;
  return { question: row[0], value: row[1] };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
