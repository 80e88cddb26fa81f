import { UserError } from '../../../user-error.ts';
import { readDelimitedRows } from '../read-delimited-rows.ts';
import type { BenchmarkReader, BenchmarkRow } from './benchmark-row.ts';
import { findFiles, stemOf } from './find-files.ts';
import { categoryOf } from './mmlu-subjects.ts';
import { wantedTasks } from './wanted-tasks.ts';

const columns = ['question', 'A', 'B', 'C', 'D', 'answer'];

/**
 * MMLU's `<subject>_<split>.csv`: question, four choices and the right one. Both layouts: without a header and with a
 * letter (the original), or with a header row and a number from 0.
 */
export const readMmlu: BenchmarkReader = async function* ({ path, split = 'test', tasks }) {
  const ending = `_${split}.csv`;
  const files = await findFiles(path, {
    isWanted: (name) => name.endsWith(ending),
    expected: `files like abstract_algebra${ending}`,
  });
  const subjects = new Map(files.map((file) => [stemOf(file.name).slice(0, -ending.length + 4), file.path]));
  for (const [subject, file] of wantedTasks(subjects, tasks)) yield* readSubject({ file, subject, split });
};

interface Subject {
  readonly file: string;
  /** Empty where a single file was given, whose name says nothing. */
  readonly subject: string;
  readonly split: string;
}

async function* readSubject({ file, subject, split }: Subject): AsyncGenerator<BenchmarkRow> {
  let count = 0;
  for await (const { line, row } of readDelimitedRows(file, { type: 'csv', columns })) {
    if (count === 0 && row.answer === 'answer') continue;
    const answer = answerOf(row.answer ?? '', `${file}:${line}`);
    yield {
      id: [subject, split, count].filter((part) => part !== '').join('/'),
      row: {
        question: row.question ?? '',
        choices: [row.A ?? '', row.B ?? '', row.C ?? '', row.D ?? ''],
        answer,
        ...(subject === '' ? {} : { subject, category: categoryOf(subject) }),
      },
      place: { path: file, line },
    };
    count += 1;
  }
}

function answerOf(text: string, place: string): number {
  const index = /^[A-D]$/.test(text) ? 'ABCD'.indexOf(text) : /^[0-3]$/.test(text) ? Number(text) : -1;
  if (index !== -1) return index;
  throw new UserError({
    code: 'bad-answer',
    message: `${place}: the answer is ${JSON.stringify(text)}; it must be a letter from A to D, or a number from 0 to 3`,
  });
}
