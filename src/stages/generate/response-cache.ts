import { createHash } from 'node:crypto';
import { appendFileSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../core/index.ts';

/** The size of one file at most; further results are not stored. */
const mostBytes = 256 * 2 ** 20;

/**
 * Results of single prompts on disk, by a hash of the request: those of earlier runs, of an interrupted run, and of
 * this run. It does not depend on the mode: a result is any JSON value that `decode` accepts.
 */
export class ResponseCache<Result extends Json> {
  readonly #path: string;
  readonly #known: Map<string, Result>;
  #bytes: number;

  private constructor(path: string, { known, bytes }: { known: Map<string, Result>; bytes: number }) {
    this.#path = path;
    this.#known = known;
    this.#bytes = bytes;
  }

  /**
   * `folder` is shared by all runs that give equal results for equal prompts; several processes may write to it.
   * `fingerprint` names the engine that computes: floats differ between engines, so results never cross.
   * `decode` returns undefined for a value that is not a result; such a line is ignored.
   */
  static async open<Result extends Json>(
    { folder, fingerprint }: { readonly folder: string; readonly fingerprint: string },
    decode: (value: unknown) => Result | undefined,
  ): Promise<ResponseCache<Result>> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${digest(fingerprint)}.jsonl`);
    const known = new Map<string, Result>();
    for (const line of (await readFile(path, 'utf8').catch(() => '')).split('\n')) {
      const { asked, value } = parseLine(line) ?? {};
      const result = decode(value);
      if (asked !== undefined && result !== undefined) known.set(asked, result);
    }
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return new ResponseCache(path, { known, bytes });
  }

  /** `key`: everything that the result depends on, besides the folder and the fingerprint. */
  find(key: readonly Json[]): Result | undefined {
    return this.#known.get(digest(JSON.stringify(key)));
  }

  /** Synchronous, so that the operating system has the line before anything else can end the process. */
  add(key: readonly Json[], result: Result): void {
    const asked = digest(JSON.stringify(key));
    this.#known.set(asked, result);
    const content = JSON.stringify([asked, result]);
    // The newline comes first: a torn line before it must not swallow this one.
    const line = `\n${digest(content)} ${content}`;
    this.#bytes += Buffer.byteLength(line);
    if (this.#bytes <= mostBytes) appendFileSync(this.#path, line);
  }
}

/** Undefined for a torn line: its checksum is not that of its content. */
function parseLine(line: string): { readonly asked: string; readonly value: unknown } | undefined {
  const space = line.indexOf(' ');
  const content = line.slice(space + 1);
  if (space <= 0 || digest(content) !== line.slice(0, space)) return undefined;
  const row: unknown = JSON.parse(content);
  if (!Array.isArray(row) || typeof row[0] !== 'string') return undefined;
  return { asked: row[0], value: row[1] };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
