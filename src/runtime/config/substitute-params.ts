import { err, ok, type Result, suggest } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, type Span } from '../diagnostic/diagnostic.ts';
import { type YamlEntry, type YamlMap, type YamlNode, type YamlScalar, yamlAt } from '../yaml/yaml-doc.ts';

/** `$${`, which stands for `${`; `${expression}`; or a `${` that is never closed. */
const expressions = /\$\$\{|\$\{([^}]*)(\}?)/g;

/**
 * A value with its `${params.name}` replaced: by the parameter's value where it is the whole text, by its text inside a
 * longer one. Parameters' values are not searched again.
 */
export function substituteParams(node: YamlNode, params: YamlMap | undefined): Checked<YamlNode> {
  const diagnostics: Diagnostic[] = [];
  return { value: substitute(node, { params, diagnostics }), diagnostics };
}

interface Substitution {
  readonly params: YamlMap | undefined;
  readonly diagnostics: Diagnostic[];
}

function substitute(node: YamlNode, substitution: Substitution): YamlNode {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'string' && node.value.includes('${')
        ? substituteText({ ...node, value: node.value }, substitution)
        : node;
    case 'list': {
      const items = node.items.map((item) => substitute(item, substitution));
      return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
    }
    case 'map':
      return substituteMap(node, substitution);
    default:
      return node satisfies never;
  }
}

/** The same node where nothing in it changes, as in most stages. */
function substituteMap(node: YamlMap, substitution: Substitution): YamlMap {
  let entries: Map<string, YamlEntry> | undefined;
  for (const [key, { keySpan, value: before }] of node.entries) {
    const value = substitute(before, substitution);
    if (value === before) continue;
    entries ??= new Map(node.entries);
    entries.set(key, { keySpan, value });
  }
  return entries === undefined ? node : { ...node, entries };
}

type TextNode = YamlScalar & { readonly value: string };

function substituteText(node: TextNode, substitution: Substitution): YamlNode {
  const mistakesBefore = substitution.diagnostics.length;
  const value = wholeParameter(node, substitution) ?? {
    ...node,
    value: node.value.replace(expressions, (written, inside?: string, closing?: string) =>
      inside === undefined ? '${' : textOf(expressionIn(node, { written, inside, closing }), substitution),
    ),
  };
  return substitution.diagnostics.length > mistakesBefore ? { ...value, reported: true } : value;
}

/** The parameter's value, where the expression is the whole text. */
function wholeParameter(node: TextNode, substitution: Substitution): YamlNode | undefined {
  const [written, inside, closing] = [...node.value.matchAll(expressions)][0] ?? [];
  if (written !== node.value || inside === undefined) return undefined;
  const found = findParameter(expressionIn(node, { written, inside, closing }), substitution.params);
  if (found.ok) return { ...found.value, usedAt: node.span };
  substitution.diagnostics.push(found.error);
  return { ...node, value: null };
}

/** A parameter's text inside a longer one; empty where a mistake is reported. */
function textOf(expression: Expression, { params, diagnostics }: Substitution): string {
  const found = findParameter(expression, params);
  if (!found.ok) {
    diagnostics.push(found.error);
    return '';
  }
  const { value } = found;
  if (value.kind === 'scalar' && value.value !== null) return String(value.value);
  diagnostics.push({
    code: 'wrong-type',
    message: `\`${expression.written}\` is ${value.kind === 'scalar' ? 'empty' : `a ${value.kind}`} and cannot be part of a text`,
    span: expression.span,
    related: { kind: 'value', span: value.span },
  });
  return '';
}

function expressionIn(
  node: TextNode,
  {
    written,
    inside,
    closing,
  }: { readonly written: string; readonly inside: string; readonly closing: string | undefined },
): Expression {
  return { written, inside, closed: closing === '}', span: placeOf(written, node.span) };
}

/** The expression's own place, where the file has its text unchanged. */
function placeOf(written: string, { file, start, end }: Span): Span {
  const at = file.text.slice(start, end).indexOf(written);
  return at < 0 ? { file, start, end } : { file, start: start + at, end: start + at + written.length };
}

/** What is between `${` and `}` in a text. */
interface Expression {
  readonly written: string;
  readonly inside: string;
  readonly closed: boolean;
  /** The expression's own place where that is known, else the whole text's. */
  readonly span: Span;
}

/** The parameter that an expression names: `params.name`, or `params.name.field` within a map. */
function findParameter(
  { written, inside, closed, span }: Expression,
  params: YamlMap | undefined,
): Result<YamlNode, Diagnostic> {
  const [root, ...path] = inside.trim().split('.');
  const known = [...(params?.entries.keys() ?? [])];
  if (!closed)
    return err({
      code: 'bad-expression',
      message: `\`${written}\` is not closed`,
      span,
      help: `end it with \`}\`, or write \`$\${\` for a plain \`\${\``,
    });
  if (root !== 'params' || path.length === 0)
    return err({
      code: 'bad-expression',
      message: `\`${written}\` is not a parameter`,
      span,
      help: notAParameter(root ?? '', known),
    });
  const place = params && yamlAt(params, path);
  return place?.exact === true ? ok(place.node) : err({ ...unknownParameter(path, params), span });
}

function unknownParameter(path: readonly string[], params: YamlMap | undefined): Diagnostic {
  const found = path.findIndex((_, index) => params && !yamlAt(params, path.slice(0, index + 1)).exact);
  const at = Math.max(0, found);
  const parent = params && yamlAt(params, path.slice(0, at)).node;
  const known = parent?.kind === 'map' ? [...parent.entries.keys()] : [];
  const meant = suggest(path[at] ?? '', known);
  return {
    code: 'unknown-parameter',
    message: `the pipeline has no parameter \`${path.join('.')}\``,
    help:
      meant === undefined
        ? listParameters(known)
        : `did you mean \`${[...path.slice(0, at), meant].join('.')}\`?`,
  };
}

/** Help for a parameter that does not exist. */
export const listParameters = (known: readonly string[]): string =>
  known.length === 0 ? 'declare it under `params:`' : `the parameters are ${listOf(known, 'and')}`;

function notAParameter(name: string, known: readonly string[]): string {
  return known.includes(name)
    ? `write \`\${params.${name}}\``
    : `a parameter is \`\${params.name}\`; write \`$\${\` for a plain \`\${\``;
}
