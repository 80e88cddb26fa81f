import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../core/index.ts';
import { changeFile } from './change-file.ts';

/** One person's rating of one answer, with the answer itself. */
export interface RatingRow {
  /** A hash of the answer's content. */
  readonly key: string;
  readonly rater: string;
  /** Empty for a note alone. */
  readonly score: string;
  readonly note: string;
  readonly prompt: string;
  readonly response: string;
}

const columns = ['key', 'rater', 'score', 'note', 'prompt', 'response'] as const;

/** The ratings of a file by rater and key. A row may have columns of the user's own, which are kept. */
type Rows = ReadonlyMap<string, RatingRow>;

/** A CSV file of ratings. Each rating is added to what the file holds then: several people and pages may rate at once. */
export class RatingsFile {
  readonly path: string;
  #rows: Rows;

  private constructor(path: string, rows: Rows) {
    this.path = path;
    this.#rows = rows;
  }

  /** Throws a UserError for a file that holds no ratings. */
  static async open(path: string): Promise<RatingsFile> {
    return new RatingsFile(path, rowsOf(path, await textOf(path)));
  }

  /** The rating as this object last read or wrote the file. */
  find(row: Pick<RatingRow, 'rater' | 'key'>): RatingRow | undefined {
    return this.#rows.get(nameOf(row));
  }

  async put(row: RatingRow): Promise<void> {
    await changeFile(this.path, (text) => {
      const rows = new Map(rowsOf(this.path, text));
      rows.set(nameOf(row), { ...rows.get(nameOf(row)), ...row });
      this.#rows = rows;
      const named = [...new Set([...columns, ...[...rows.values()].flatMap(Object.keys)])];
      return stringify([...rows.values()], { header: true, columns: named });
    });
  }
}

/** The file of ratings of a stage's answers that is used where none is named. */
export const ratingsBeside = (pipelineFile: string, stage: string): string =>
  join(
    dirname(pipelineFile),
    `${basename(pipelineFile, extname(pipelineFile))}.${stage.replaceAll('/', '.')}.ratings.csv`,
  );

const nameOf = ({ rater, key }: Pick<RatingRow, 'rater' | 'key'>) => JSON.stringify([rater, key]);

const textOf = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new UserError({ code: 'no-ratings', message: `${path} cannot be read: ${error.message}` });
  });

function rowsOf(path: string, text: string): Rows {
  if (text === '') return new Map();
  try {
    const rows: Record<string, string>[] = parse(text, { columns: true, bom: true, skip_empty_lines: true });
    const missing = columns.filter((name) => rows.some((row) => row[name] === undefined));
    if (missing.length > 0) throw new Error(`it has no column ${missing.join(', ')}`);
    // decode edge: every column is present
    return new Map((rows as unknown as RatingRow[]).map((row) => [nameOf(row), row]));
  } catch (error) {
    throw new UserError({
      code: 'no-ratings',
      message: `${path} is not a file of ratings: ${error instanceof Error ? error.message : String(error)}`,
      help: 'name another file with --to; this one is unchanged',
    });
  }
}
