import { stat } from 'node:fs/promises';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nearNames } from '../source/near-names.ts';
import { displayPathOf } from '../source/read-source-file.ts';
import type { SourceField } from './dag.ts';

/** A diagnostic for each source that does not exist. Each path is looked at once. */
export async function checkSources(
  sources: readonly SourceField[],
  workingDirectory: string,
): Promise<readonly Diagnostic[]> {
  const known = new Map<string, Promise<boolean>>();
  const exists = (path: string): Promise<boolean> => {
    const pending =
      known.get(path) ??
      stat(path).then(
        () => true,
        () => false,
      );
    known.set(path, pending);
    return pending;
  };
  const found = await Promise.all(sources.map(({ path }) => exists(path)));
  const missing = sources.filter((_, index) => found[index] !== true);
  return Promise.all(missing.map((source) => missingFile(source, workingDirectory)));
}

async function missingFile({ path, span }: SourceField, workingDirectory: string): Promise<Diagnostic> {
  const shown = displayPathOf(path, workingDirectory);
  const help = await nearNames(path, shown);
  return {
    code: 'missing-file',
    message: `there is no file or folder \`${shown}\``,
    span,
    ...(help !== undefined && { help }),
  };
}
