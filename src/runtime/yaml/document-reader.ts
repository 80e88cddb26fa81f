import type { Checked, Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import { parseYaml } from './parse-yaml.ts';
import { displayPathOf, readTextFile } from './read-text-file.ts';
import type { YamlDoc } from './yaml-doc.ts';

/** Reads each YAML file once and remembers which place named it first. */
export class DocumentReader {
  readonly workingDirectory: string;
  readonly #documents = new Map<string, Promise<Checked<YamlDoc | undefined>>>();
  readonly #namedAt = new Map<string, Span>();

  constructor(workingDirectory: string) {
    this.workingDirectory = workingDirectory;
  }

  /** The file at an absolute path; a mistake without a place is shown where the file is named. */
  async read(path: string, namedAt: Span | undefined): Promise<Checked<YamlDoc | undefined>> {
    if (namedAt !== undefined && !this.#namedAt.has(path)) this.#namedAt.set(path, namedAt);
    const document = this.#documents.get(path) ?? readDocument(path, this.workingDirectory);
    this.#documents.set(path, document);
    const { value, diagnostics } = await document;
    if (namedAt === undefined) return { value, diagnostics };
    return { value, diagnostics: diagnostics.map((each) => ({ span: namedAt, ...each })) };
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
