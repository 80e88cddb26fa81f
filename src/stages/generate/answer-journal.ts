import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from './answer-source.ts';

/**
 * The answers that an interrupted run already had, and those of this run as they come. An answer depends on its own prompt
 * alone, so none has to be made again; but only where the same thing made them, which `fingerprint` names.
 */
export class AnswerJournal {
  /** By record id. */
  readonly known: ReadonlyMap<string, Answer>;
  readonly #path: string;

  private constructor(path: string, known: ReadonlyMap<string, Answer>) {
    this.#path = path;
    this.known = known;
  }

  /** Opens the journal in a stage's private folder, which is kept under the stage's key. */
  static async open(folder: string, fingerprint: string): Promise<AnswerJournal> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `answers-${digest(fingerprint)}.jsonl`);
    const text = await readFile(path, 'utf8').catch(() => '');
    const answers = text.split('\n').flatMap((line) => parseLine(line) ?? []);
    return new AnswerJournal(path, new Map(answers.map((answer) => [answer.id, answer])));
  }

  /** Synchronous, so that the line is with the operating system before anything else can end the process. */
  add(answer: Answer): void {
    const json = JSON.stringify(answer);
    // The newline comes first: a torn line before it must not swallow this one.
    appendFileSync(this.#path, `\n${digest(json)} ${json}`);
  }
}

/** Undefined for a line that was torn: its checksum is not that of its content. */
function parseLine(line: string): Answer | undefined {
  const space = line.indexOf(' ');
  const json = line.slice(space + 1);
  return space > 0 && digest(json) === line.slice(0, space) ? JSON.parse(json) : undefined;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
