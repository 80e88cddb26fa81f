import { dirname, resolve } from 'node:path';
import type { Message } from 'esbuild';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { readModule } from './read-module.ts';

/** The bundler's errors at the places in the user's code, each with the place in the pipeline that names the stage. */
export async function describeBuildErrors(
  errors: readonly Message[],
  { entry, usedAt }: { readonly entry: string; readonly usedAt: Span },
): Promise<readonly Diagnostic[]> {
  return Promise.all(
    errors.map(async ({ text, location }): Promise<Diagnostic> => {
      const message = `the stage does not compile: ${lowerFirst(text)}`;
      if (location === null) return { code: 'broken-code', message, span: usedAt };
      const file = await readModule(resolve(dirname(entry), location.file), usedAt);
      const start = offsetOf(file.text, location);
      const span = { file, start, end: start + Math.max(1, location.length) };
      const related = { span: usedAt, message: 'the stage is used here' };
      const help = location.suggestion === '' ? {} : { help: `did you mean \`${location.suggestion}\`?` };
      return { code: 'broken-code', message, span, related, ...help };
    }),
  );
}

/** Lines count from 1, columns from 0 and in bytes. */
function offsetOf(
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, each) => length + each.length + 1, 0);
  return (
    before +
    Buffer.from(lines[line - 1] ?? '')
      .subarray(0, column)
      .toString().length
  );
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
