import type { YAMLError } from 'yaml';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { positionOf } from '../diagnostic/position.ts';
import type { SourceFile } from './source-file.ts';

/** The parser's errors as diagnostics. Of those that may follow from one another, only the first is kept. */
export function explainSyntaxErrors(file: SourceFile, errors: readonly YAMLError[]): readonly Diagnostic[] {
  const unquoted = unquotedParameters(file, errors);
  if (unquoted.length > 0) return unquoted;
  const first = errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  return first === undefined ? [] : [explain(file, first)];
}

function explain(file: SourceFile, { code, message, pos: [start, end] }: YAMLError): Diagnostic {
  const span = visibleSpan({ file, start, end });
  switch (code) {
    case 'TAB_AS_INDENT':
      return {
        code: 'yaml-tab',
        message: 'a tab indents this line',
        span,
        help: 'YAML is indented with spaces',
      };
    case 'TAG_RESOLVE_FAILED':
      return {
        code: 'yaml-tag',
        message: 'tags mean nothing in a pipeline file',
        span,
        help: 'take the tag out',
      };
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        code: 'yaml-syntax',
        message: 'a map cannot begin in the middle of a value',
        span,
        help: 'check the indentation here; a text that holds `: ` needs quotes',
      };
    case 'BAD_INDENT':
      return {
        code: 'yaml-syntax',
        message: message.startsWith('Flow')
          ? 'a `[` or `{` above is not closed before this line'
          : 'this line is not indented like those around it',
        span,
      };
    default:
      if (message.startsWith('Missing closing'))
        return { code: 'yaml-syntax', message: 'a text was opened with a quote and is not closed', span };
      return { code: 'yaml-syntax', message: `this is not YAML: ${lowerFirst(message)}`, span };
  }
}

/** `{ a: ${params.b} }`: within braces and brackets YAML reads the `{` as the start of a map. */
function unquotedParameters(file: SourceFile, errors: readonly YAMLError[]): readonly Diagnostic[] {
  const places = new Map<number, Diagnostic>();
  for (const { pos } of errors) {
    const { lineStart, lineEnd } = positionOf(file, pos[0]);
    for (const match of file.text.slice(lineStart, lineEnd).matchAll(/\$\{[^{}"']*\}?/g)) {
      const start = lineStart + match.index;
      if (pos[0] !== start + 1 && pos[0] !== start) continue;
      const written = match[0].endsWith('}') ? match[0] : `${match[0]}}`;
      places.set(start, {
        code: 'unquoted-parameter',
        message: `within braces or brackets \`${written}\` needs quotes`,
        span: { file, start, end: start + match[0].length },
        help: `write "${written}"`,
      });
    }
  }
  return [...places.values()];
}

/** An error at a line's end points at its last visible character. */
function visibleSpan({ file, start, end }: Span): Span {
  let from = Math.min(start, file.text.length);
  while (from > 0 && /\s/.test(file.text[from] ?? ' ') && file.text[from] !== '\t') from -= 1;
  return { file, start: from, end: Math.max(from + 1, Math.min(end, file.text.length)) };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
