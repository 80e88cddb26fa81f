import { stat } from 'node:fs/promises';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { quoted } from '../diagnostic/wording.ts';
import { nearNames } from '../source/near-names.ts';
import { displayPathOf } from '../source/read-source-file.ts';
import type { SourceField } from './dag.ts';

/** A diagnostic for each source that does not exist, or whose address is none. Each path is looked at once. */
export async function checkSources(
  sources: readonly SourceField[],
  workingDirectory: string,
): Promise<readonly Diagnostic[]> {
  const paths = [...new Set(sources.filter(isLocal).map(({ path }) => path))];
  const found = await Promise.all(paths.map(exists));
  const absent = new Set(paths.filter((_, index) => found[index] !== true));
  // A parameter that several stages use is one place, and one mistake.
  const places = new Map(
    sources.map((source) => [`${source.span.file.path} ${source.span.start} ${source.path}`, source]),
  );
  const missing = [...places.values()].filter((source) => isLocal(source) && absent.has(source.path));
  const files = await Promise.all(missing.map((source) => missingFile(source, workingDirectory)));
  return [...files, ...[...places.values()].flatMap(badAddress)];
}

const isLocal = ({ resolver }: SourceField): boolean => resolver === undefined;

function badAddress({ path, resolver, span }: SourceField): readonly Diagnostic[] {
  const problem = resolver?.check(path);
  return problem === undefined ? [] : [{ ...problem, span }];
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function missingFile({ path, span }: SourceField, workingDirectory: string): Promise<Diagnostic> {
  const shown = displayPathOf(path, workingDirectory);
  const help = await nearNames(path, shown);
  return {
    code: 'missing-file',
    message: `there is no file or folder ${quoted(shown)}`,
    span,
    ...(help !== undefined && { help }),
  };
}
