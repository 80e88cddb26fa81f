import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { err, ok, type Result, suggest } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import { parseYaml } from './parse-yaml.ts';
import type { YamlDoc } from './yaml-doc.ts';

/** How often one pipeline may take files in by `uses` and `extends`: two files that each do so twice double it at every level. */
const mostFiles = 1000;

/** Reads each YAML file once and remembers which place named it first. */
export class DocumentReader {
  readonly workingDirectory: string;
  readonly #onRead: ((path: string) => void) | undefined;
  readonly #documents = new Map<string, Promise<Checked<YamlDoc | undefined>>>();
  readonly #namedAt = new Map<string, Span>();
  #taken = 0;

  /** `onRead` is told the absolute path of every file, also of those that cannot be read. */
  constructor(workingDirectory: string, onRead?: (path: string) => void) {
    this.workingDirectory = workingDirectory;
    this.#onRead = onRead;
  }

  /** The file at an absolute path; a mistake without a place is shown where the file is named. */
  async read(path: string, namedAt: Span | undefined): Promise<Checked<YamlDoc | undefined>> {
    this.#onRead?.(path);
    if (namedAt !== undefined && !this.#namedAt.has(path)) this.#namedAt.set(path, namedAt);
    const document = this.#documents.get(path) ?? readDocument(path, this.workingDirectory);
    this.#documents.set(path, document);
    const { value, diagnostics } = await document;
    if (namedAt === undefined) return { value, diagnostics };
    return { value, diagnostics: diagnostics.map((each) => ({ span: namedAt, ...each })) };
  }

  /** Begins to count anew the files that a pipeline takes in. */
  startCounting(): void {
    this.#taken = 0;
  }

  /** Counts a file that a pipeline takes in. False if those are too many; the first of them gives a diagnostic. */
  takeIn(
    path: string,
    { verb, span }: { readonly verb: 'uses' | 'extends'; readonly span: Span },
  ): { readonly isTooMany: boolean; readonly diagnostics: readonly Diagnostic[] } {
    this.#taken += 1;
    const isTooMany = this.#taken > mostFiles;
    if (this.#taken !== mostFiles + 1) return { isTooMany, diagnostics: [] };
    const name = quoted(this.display(path));
    const tooMany: Diagnostic = {
      code: 'too-many-files',
      message: `the pipeline takes in more than ${mostFiles} files by \`uses\` and \`extends\`; the first too many is ${name}`,
      span,
      help: `a file that is used several times, and ${verb} others several times, counts each time`,
    };
    return { isTooMany, diagnostics: [tooMany] };
  }

  /** The absolute paths of all files that were read, in the order of the first request. */
  get files(): readonly string[] {
    return [...this.#documents.keys()];
  }

  /** Where a file was first named; undefined for the pipeline's own. */
  namedAt(path: string): Span | undefined {
    return this.#namedAt.get(path);
  }

  /** A path as a user would type it. */
  display(path: string): string {
    return displayPathOf(path, this.workingDirectory);
  }
}

async function readDocument(path: string, workingDirectory: string): Promise<Checked<YamlDoc | undefined>> {
  const source = await readTextFile(path, workingDirectory);
  if (!source.ok) return { value: undefined, diagnostics: [source.error] };
  const { value, diagnostics } = parseYaml(source.value);
  if (value !== undefined || diagnostics.length > 0) return { value, diagnostics };
  return { value: undefined, diagnostics: [emptyFile(source.value)] };
}

const emptyFile = (file: TextFile) => ({
  code: 'empty-file',
  message: 'the file is empty',
  span: { file, start: 0, end: 0 },
  help: 'a pipeline has `stages:`; `tuneloom init` writes one to begin with',
});

const largestFile = 8 * 1024 * 1024;

/** Reads a text file of bounded size; `path` is relative to the working directory. */
export async function readTextFile(
  path: string,
  workingDirectory: string,
): Promise<Result<TextFile, Diagnostic>> {
  const absolute = resolve(workingDirectory, path);
  const displayPath = displayPathOf(absolute, workingDirectory);
  try {
    const found = await stat(absolute);
    // A device or a pipe may never end. Reading a folder fails below, with its own message.
    if (!found.isFile() && !found.isDirectory())
      return err({ code: 'not-a-file', message: `\`${displayPath}\` is not a regular file` });
    const { size } = found;
    if (size > largestFile)
      return err({
        code: 'file-too-large',
        message: `\`${displayPath}\` has ${size} bytes; a pipeline file can have ${largestFile}`,
      });
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(absolute));
    return ok({ path: absolute, displayPath, text });
  } catch (cause) {
    return err(await explain(cause, { absolute, displayPath }));
  }
}

/** A path as a user would type it: relative where that is shorter. */
export function displayPathOf(absolute: string, workingDirectory: string): string {
  const short = relative(workingDirectory, absolute);
  return short.length > 0 && short.length < absolute.length && !isAbsolute(short)
    ? short.replaceAll(sep, '/')
    : absolute;
}

async function explain(
  cause: unknown,
  { absolute, displayPath }: { readonly absolute: string; readonly displayPath: string },
): Promise<Diagnostic> {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return {
      code: 'not-utf8',
      message: `\`${displayPath}\` is not UTF-8 text`,
      help: 'save the file as UTF-8',
    };
  if (code === 'ERR_INVALID_ARG_VALUE')
    return { code: 'unreadable-file', message: `\`${displayPath}\` has a null byte, so it names no file` };
  if (code === 'EISDIR')
    return { code: 'not-a-file', message: `\`${displayPath}\` is a folder, not a pipeline file` };
  if (code !== 'ENOENT' && code !== 'ENOTDIR')
    return { code: 'unreadable-file', message: `\`${displayPath}\` cannot be read: ${String(cause)}` };
  const help = await describeNeighbors(absolute, displayPath);
  return { code: 'missing-file', message: `there is no file \`${displayPath}\``, ...(help && { help }) };
}

/** Help for a path that does not exist: a file beside it with a similar name, or what its folder holds. `shown` is the path as the user knows it. */
export async function describeNeighbors(path: string, shown: string): Promise<string | undefined> {
  const folder = dirname(shown);
  const entries = await readdir(dirname(path)).catch(() => undefined);
  if (entries === undefined) return `there is no folder ${quoted(folder)} either`;
  if (entries.includes(basename(path))) return 'it is a link to nothing';
  const nearest = suggest(basename(path), entries);
  if (nearest !== undefined)
    return `did you mean ${quoted(folder === '.' ? nearest : `${folder}/${nearest}`)}?`;
  const visible = entries.filter((name) => !name.startsWith('.')).sort();
  if (visible.length === 0) return 'its folder is empty';
  const rest = visible.length > 5 ? ', ...' : '';
  return `its folder holds ${listOf(visible.slice(0, 5), 'and')}${rest}`;
}
