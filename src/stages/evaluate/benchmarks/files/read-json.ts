import type { Json } from '../../../../json.ts';
import { jsonFault } from '../../../../text/jsonl/json-fault.ts';
import { UserError } from '../../../../user-error.ts';
import { type BenchmarkFile, readText } from './benchmark-file.ts';
import type { Located } from './located.ts';

export interface JsonLeniency {
  /** Passes over a comma after the last item, which hand-written files often have. */
  readonly allowsLastCommas?: boolean;
}

/** The value of a JSON file. */
export async function readJson(
  file: BenchmarkFile,
  { allowsLastCommas = false }: JsonLeniency = {},
): Promise<Located> {
  const written = await readText(file);
  const text = allowsLastCommas ? withoutLastCommas(written) : written;
  return { value: parse(text, { name: file.name, firstLine: 1 }), file: file.name, path: '' };
}

/** The values of a JSONL file; empty lines are passed over. */
export async function readJsonLines(file: BenchmarkFile): Promise<readonly Located[]> {
  const lines = (await readText(file)).split('\n');
  return lines.flatMap((text, index) => {
    if (text.trim() === '') return [];
    const line = index + 1;
    const value = parse(text, { name: file.name, firstLine: line });
    return [{ value, file: `${file.name}:${line}`, path: '' }];
  });
}

/** A space for each, so that everything else keeps its place. */
const withoutLastCommas = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|,(\s*[}\]])/g, (_, string?: string, end = '') => string ?? ` ${end}`);

function parse(text: string, { name, firstLine }: { name: string; firstLine: number }): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonFault(cause, text);
    const place = `${name}:${firstLine + line - 1}:${column}`;
    throw new UserError({ code: 'bad-json', message: `${place}: not JSON: ${reason}`, cause });
  }
}
