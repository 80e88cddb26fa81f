import stringWidth from 'string-width';
import type { JsonObject } from '../../core/index.ts';
import { type Diagnostic, relatedMessage, type Span } from './diagnostic.ts';
import { positionOf } from './text-file.ts';

/** How the parts of a rendered diagnostic are colored; `plainPalette` changes nothing. */
interface DiagnosticPalette {
  readonly place: (text: string) => string;
  readonly error: (text: string) => string;
  readonly frame: (text: string) => string;
  readonly help: (text: string) => string;
}

const same = (text: string): string => text;

export const plainPalette: DiagnosticPalette = { place: same, error: same, frame: same, help: same };

/**
 * Diagnostics for people, each with its line of the file, of which no more is shown than the columns hold, then their number.
 * Ends with a line break.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  palette = plainPalette,
  columns = USUAL_COLUMNS,
): string {
  const width = Math.min(USUAL_COLUMNS, columns) - FRAME;
  const count = diagnostics.length === 1 ? '1 error' : `${diagnostics.length} errors`;
  const blocks = diagnostics.map((diagnostic) => `${renderOne(diagnostic, palette, width)}\n`);
  return `${blocks.join('')}${palette.error(count)}. Nothing ran.\n`;
}

function renderOne(
  { code, message, span, help, related }: Diagnostic,
  palette: DiagnosticPalette,
  width: number,
): string {
  const headline = `${palette.error(`error[${code}]`)} ${printable(message)}`;
  const lines = [span === undefined ? headline : `${palette.place(placeOf(span))} ${headline}`];
  if (span !== undefined) lines.push(frameOf(span, palette, width));
  if (related !== undefined) {
    lines.push(`  ${palette.place(placeOf(related.span))} ${printable(relatedMessage(related))}`);
    lines.push(frameOf(related.span, palette, width));
  }
  if (help !== undefined) lines.push(`  ${palette.help('help:')} ${printable(help)}`);
  return lines.join('\n');
}

/** `file:line:column`, from 1. */
function placeOf({ file, start }: Span): string {
  const { line, column } = positionOf(file, start);
  return `${printable(file.displayPath).replaceAll('\n', '⏎')}:${line}:${column}`;
}

const tabWidth = 2;
/** More of a line than this is hard to read. */
const USUAL_COLUMNS = 113;
/** The line number, the bar, and the marks of what is left out on both sides. */
const FRAME = 13;

function frameOf({ file, start, end }: Span, palette: DiagnosticPalette, width: number): string {
  const { line, lineStart, lineEnd } = positionOf(file, start);
  const cut = windowAround({ lineStart, lineEnd, start, width });
  const before = shown(file.text.slice(cut.from, start));
  const marked = shown(file.text.slice(start, Math.max(start, Math.min(end, cut.to))));
  const after = shown(file.text.slice(Math.max(start, Math.min(end, cut.to)), cut.to));
  const number = String(line).padStart(4);
  const carets = '^'.repeat(Math.max(1, stringWidth(marked)));
  const text = `${cut.from > lineStart ? '...' : ''}${before}${marked}${after}${cut.to < lineEnd ? '...' : ''}`;
  const indent = ' '.repeat(stringWidth(before) + (cut.from > lineStart ? 3 : 0));
  return `${palette.frame(`${number} |`)} ${text}\n${palette.frame('     |')} ${indent}${palette.error(carets)}`;
}

/** The part of a very long line around the mistake. */
function windowAround({
  lineStart,
  lineEnd,
  start,
  width,
}: {
  lineStart: number;
  lineEnd: number;
  start: number;
  width: number;
}): { from: number; to: number } {
  if (lineEnd - lineStart <= width) return { from: lineStart, to: lineEnd };
  const from = Math.max(lineStart, start - Math.floor(width / 2));
  return { from, to: Math.min(lineEnd, from + width) };
}

const shown = (text: string): string => printable(text.replaceAll('\t', ' '.repeat(tabWidth)));

/** Replaces what could control the terminal. */
const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for control characters.
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');

/** Diagnostics for programs: file, line and column from 1, end exclusive. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): readonly JsonObject[] {
  return diagnostics.map(({ code, message, span, help, related }) => ({
    code,
    message,
    ...(span && placeAsJson(span)),
    ...(help !== undefined && { help }),
    ...(related && { related: { message: relatedMessage(related), ...placeAsJson(related.span) } }),
  }));
}

function placeAsJson({ file, start, end }: Span): JsonObject {
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
