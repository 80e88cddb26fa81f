import type { JsonObject } from '../../json.ts';
import type { Diagnostic, Span } from './diagnostic.ts';
import { positionOf } from './position.ts';

/** Diagnostics for programs: file, line and column from 1, end exclusive. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): readonly JsonObject[] {
  return diagnostics.map(({ code, message, span, help, related }) => ({
    code,
    message,
    ...(span && placeOf(span)),
    ...(help !== undefined && { help }),
    ...(related && { related: { message: related.message, ...placeOf(related.span) } }),
  }));
}

function placeOf({ file, start, end }: Span): JsonObject {
  const from = positionOf(file, start);
  const to = positionOf(file, end);
  return {
    file: file.displayPath,
    line: from.line,
    column: from.column,
    end_line: to.line,
    end_column: to.column,
  };
}
