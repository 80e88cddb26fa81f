import { Composer, type CST, type Document, Lexer, Parser, type YAMLError } from 'yaml';
import { type Checked, type Diagnostic, lowerFirst, type Span } from '../diagnostic/diagnostic.ts';
import { positionOf, type TextFile } from '../diagnostic/text-file.ts';
import { indentedOtherwise, specialSpace, toYamlNode } from './to-yaml-node.ts';
import type { YamlDoc } from './yaml-doc.ts';

/** Deeper than any pipeline, and far below what the stack allows: composing and checking are recursive. */
const deepest = 64;

/** Parses YAML 1.2 (core schema). The value is undefined where the text is not one document. */
export function parseYaml(file: TextFile): Checked<YamlDoc | undefined> {
  const { tokens, tooDeepAt } = tokenize(file.text);
  const tooDeep = tokens.map(firstBeyondDepth).find((token) => token !== undefined)?.offset ?? tooDeepAt;
  if (tooDeep !== undefined) return failed(nestedTooDeep(file, tooDeep));
  const [document, second] = compose(file, tokens);
  if (document === undefined) return { value: undefined, diagnostics: [] };
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) return failed(...explainSyntaxErrors(file, errors));
  if (second !== undefined) return failed(secondDocument(file, second));
  const { value, diagnostics } = toYamlNode(file, document);
  return { value: value && { file, root: value }, diagnostics };
}

/** Stops when far more maps and lists are open than allowed, because the parser closes them recursively. */
function tokenize(text: string): { readonly tokens: readonly CST.Token[]; readonly tooDeepAt?: number } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > 4 * deepest) return { tokens, tooDeepAt: parser.offset };
  }
  tokens.push(...parser.end());
  return { tokens };
}

function compose(file: TextFile, tokens: readonly CST.Token[]): readonly Document[] {
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    intAsBigInt: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return [...composer.compose(tokens, true, file.text.length)];
}

/** The first token below the depth limit, found without recursion. */
function firstBeyondDepth(root: CST.Token): CST.Token | undefined {
  const open: { token: CST.Token; depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > deepest) return token;
    if ('items' in token)
      for (const { key, value } of token.items) {
        if (value) open.push({ token: value, depth: depth + 1 });
        if (key) open.push({ token: key, depth: depth + 1 });
      }
    else if (token.type === 'document' && token.value) open.push({ token: token.value, depth });
  }
  return undefined;
}

const failed = (...diagnostics: readonly Diagnostic[]): Checked<undefined> => ({
  value: undefined,
  diagnostics,
});

const nestedTooDeep = (file: TextFile, offset: number): Diagnostic => ({
  code: 'yaml-too-large',
  message: `maps and lists are nested more than ${deepest} deep here`,
  span: { file, start: offset, end: offset + 1 },
});

const secondDocument = (file: TextFile, { range }: Document): Diagnostic => ({
  code: 'yaml-documents',
  message: 'a second document begins here; a pipeline file holds one',
  span: { file, start: range?.[0] ?? 0, end: (range?.[0] ?? 0) + 1 },
  help: 'remove the line `---`',
});

/** The parser's errors as diagnostics. Later errors may follow from the first, so only that one is kept. */
function explainSyntaxErrors(file: TextFile, errors: readonly YAMLError[]): readonly Diagnostic[] {
  const space = new RegExp(`^[\\t ]*${specialSpace}`, 'm').exec(file.text);
  if (space !== null) return [indentedOtherwise(file, space.index + space[0].length - 1)];
  const unquoted = unquotedParameters(file, errors);
  if (unquoted.length > 0) return unquoted;
  const first = errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  return first === undefined ? [] : [explain(file, first)];
}

function explain(file: TextFile, { code, message, pos: [start, end] }: YAMLError): Diagnostic {
  const span = visibleSpan({ file, start, end });
  switch (code) {
    case 'TAB_AS_INDENT':
      return {
        code: 'yaml-tab',
        message: 'this line is indented with a tab',
        span,
        help: 'indent YAML with spaces',
      };
    case 'TAG_RESOLVE_FAILED':
      return {
        code: 'yaml-tag',
        message: 'a pipeline file cannot have tags',
        span,
        help: 'remove the tag',
      };
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        code: 'yaml-syntax',
        message: 'a map cannot begin in the middle of a value',
        span,
        help: 'check the indentation here; a text with `: ` needs quotes',
      };
    case 'BAD_INDENT':
      return {
        code: 'yaml-syntax',
        message: message.startsWith('Flow')
          ? 'a `[` or `{` above is not closed before this line'
          : 'this line is not indented like those around it',
        span: nextVisible({ file, start, end }),
      };
    case 'BAD_DQ_ESCAPE':
      return {
        code: 'yaml-syntax',
        message: `this is not YAML: ${lowerFirst(message)}`,
        span,
        help: 'in double quotes `\\` begins an escape: write `/` in paths, or use single quotes',
      };
    default:
      if (message.startsWith('Missing closing'))
        return { code: 'yaml-syntax', message: 'the quote that opens this text is not closed', span };
      return { code: 'yaml-syntax', message: `this is not YAML: ${lowerFirst(message)}`, span };
  }
}

/** `{ a: ${params.b} }`: within braces and brackets YAML reads the `{` as the start of a map. */
function unquotedParameters(file: TextFile, errors: readonly YAMLError[]): readonly Diagnostic[] {
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
        help: `write "${written}"${/[\u2018-\u201f]/.test(file.text[start - 1] ?? '') ? ', with straight quotes' : ''}`,
      });
    }
  }
  return [...places.values()];
}

/** The first visible character from a place on: that of a line with a wrong indentation. */
function nextVisible(span: Span): Span {
  const { file, start } = span;
  const from = start + file.text.slice(start).search(/\S/);
  return from < start ? visibleSpan(span) : { file, start: from, end: from + 1 };
}

/** An error at a line's end points at its last visible character. */
function visibleSpan({ file, start, end }: Span): Span {
  let from = Math.min(start, file.text.length);
  while (from > 0 && /\s/.test(file.text[from] ?? ' ') && file.text[from] !== '\t') from -= 1;
  return { file, start: from, end: Math.max(from + 1, Math.min(end, file.text.length)) };
}
