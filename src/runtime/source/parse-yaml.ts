import { Composer, type CST, type Document, Lexer, Parser } from 'yaml';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { SourceFile } from './source-file.ts';
import { toYamlNode } from './to-yaml-node.ts';
import type { YamlDoc } from './yaml-doc.ts';
import { explainSyntaxErrors } from './yaml-syntax.ts';

/** Deeper than any pipeline, and far from the end of the stack: composing and checking are recursive. */
const deepest = 64;

/** Parses YAML 1.2 (core schema). The value is undefined where the text has no one structure to go on with. */
export function parseYaml(file: SourceFile): Checked<YamlDoc | undefined> {
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

/** Stops where far more is open than may be: the parser closes what is open by recursion. */
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

function compose(file: SourceFile, tokens: readonly CST.Token[]): readonly Document[] {
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

/** The first token that stands deeper than the limit, found without recursion. */
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

const nestedTooDeep = (file: SourceFile, offset: number): Diagnostic => ({
  code: 'yaml-too-large',
  message: `maps and lists are nested more than ${deepest} deep here`,
  span: { file, start: offset, end: offset + 1 },
});

const secondDocument = (file: SourceFile, { range }: Document): Diagnostic => ({
  code: 'yaml-documents',
  message: 'a second document begins here; a pipeline file holds one',
  span: { file, start: range?.[0] ?? 0, end: (range?.[0] ?? 0) + 1 },
  help: 'take out the line `---`',
});
