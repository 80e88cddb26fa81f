import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UsageError } from '../exit-code.ts';

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

/** A CSV file of ratings, rewritten after each rating. */
export class RatingsFile {
  readonly path: string;
  /** By rater and key. */
  readonly #rows: Map<string, RatingRow>;

  private constructor(path: string, rows: readonly RatingRow[]) {
    this.path = path;
    this.#rows = new Map(rows.map((row) => [nameOf(row), row]));
  }

  static async open(path: string): Promise<RatingsFile> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new UsageError({ message: `${path} cannot be read: ${error.message}` });
    });
    return new RatingsFile(path, text === '' ? [] : parseRows(path, text));
  }

  find(row: Pick<RatingRow, 'rater' | 'key'>): RatingRow | undefined {
    return this.#rows.get(nameOf(row));
  }

  async put(row: RatingRow): Promise<void> {
    this.#rows.set(nameOf(row), row);
    const text = stringify([...this.#rows.values()], { header: true, columns: [...columns] });
    await mkdir(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.${randomUUID()}`;
    await using file = await open(temporary, 'wx');
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, this.path);
  }
}

const nameOf = ({ rater, key }: Pick<RatingRow, 'rater' | 'key'>) => JSON.stringify([rater, key]);

function parseRows(path: string, text: string): readonly RatingRow[] {
  try {
    const rows: Record<string, string>[] = parse(text, { columns: true, bom: true, skip_empty_lines: true });
    const missing = columns.filter((name) => rows.some((row) => row[name] === undefined));
    if (missing.length === 0) return rows as unknown as RatingRow[]; // decode edge: every column is present
    throw new Error(`it has no column ${missing.join(', ')}`);
  } catch (error) {
    throw new UsageError({
      message: `${path} is not a file of ratings: ${error instanceof Error ? error.message : String(error)}`,
      help: 'name another file with --to; this one is unchanged',
    });
  }
}
