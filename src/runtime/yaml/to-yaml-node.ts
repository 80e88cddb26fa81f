import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Checked, Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from './yaml-doc.ts';

/** Aliases can nest values deeper than the text is nested. */
const deepest = 64;
/** How many values a file can hold, where each use of an alias counts as all the values it stands for. */
const mostNodes = 250_000;

/**
 * The parsed document as plain data with places. Aliases are resolved; duplicate keys and values that JSON cannot hold
 * are reported. The value is undefined where the document is empty or larger than the limits.
 */
export function toYamlNode(file: TextFile, document: Document): Checked<YamlNode | undefined> {
  const diagnostics: Diagnostic[] = [];
  const counted = { nodes: 0, beyondLimits: false };
  const root = document.contents;
  if (root === null) return { value: undefined, diagnostics };
  const value = convert(
    { file, diagnostics, counted, anchors: new Map(), open: new Set(), alias: undefined },
    root as Node,
  );
  const spaces = diagnostics.filter(({ code }) => code === 'yaml-space');
  if (spaces.length > 0) return { value: undefined, diagnostics: spaces };
  return { value: counted.beyondLimits ? undefined : value, diagnostics };
}

/** A pattern for spaces that YAML takes for text. Web pages and word processors put them into what is copied. */
export const specialSpace = '[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]';

export const indentedOtherwise = (file: TextFile, at: number): Diagnostic => ({
  code: 'yaml-space',
  message: 'this line is indented with a no-break space or another special space',
  span: { file, start: at, end: at + 1 },
  help: 'indent YAML with plain spaces',
});

interface Conversion {
  readonly file: TextFile;
  readonly diagnostics: Diagnostic[];
  readonly counted: { nodes: number; beyondLimits: boolean };
  /** The anchors above the current value. */
  readonly anchors: Map<string, Node>;
  /** The maps and lists around the current value. */
  readonly open: ReadonlySet<Node>;
  /** The alias that the current value replaces. */
  readonly alias: Span | undefined;
}

function convert(conversion: Conversion, node: Node): YamlNode {
  const span = spanOf(conversion, node);
  conversion.counted.nodes += 1;
  if (conversion.counted.nodes > mostNodes || conversion.open.size > deepest)
    return beyondLimits(conversion, span);
  if (isAlias(node)) return convertAlias(conversion, node);
  if (node.anchor !== undefined && conversion.alias === undefined) conversion.anchors.set(node.anchor, node);
  if (isScalar(node)) return convertScalar(conversion, node);
  const inside = { ...conversion, open: new Set([...conversion.open, node]) };
  if (isMap(node)) return convertMap(inside, node);
  return { kind: 'list', items: isSeq(node) ? itemsOf(inside, node) : [], span };
}

const itemsOf = (conversion: Conversion, { items }: YAMLSeq): readonly YamlNode[] =>
  items.filter(isNode).map((item) => convert(conversion, item));

function convertMap(conversion: Conversion, node: YAMLMap): YamlMap {
  const entries = new Map<string, YamlEntry>();
  let hasBadKey = false;
  for (const pair of node.items) {
    const key = keyOf(conversion, pair);
    hasBadKey ||= key === undefined;
    if (key === undefined) continue;
    const first = entries.get(key.name);
    if (first === undefined)
      entries.set(key.name, { keySpan: key.span, value: pairValue(conversion, pair, key.span) });
    else
      conversion.diagnostics.push({
        code: 'duplicate-key',
        message: `the key \`${key.name}\` is repeated here`,
        span: key.span,
        related: { kind: 'first', span: first.keySpan },
      });
  }
  const span = spanOf(conversion, node);
  return { kind: 'map', entries, span, ...(hasBadKey && { reported: true }) };
}

const beginsWithSpecialSpace = new RegExp(`^${specialSpace}`);

function keyOf(conversion: Conversion, { key }: Pair): { name: string; span: Span } | undefined {
  const span = isNode(key) ? spanOf(conversion, key) : { file: conversion.file, start: 0, end: 0 };
  if (isScalar(key) && key.type === 'PLAIN' && beginsWithSpecialSpace.test(key.source ?? ''))
    conversion.diagnostics.push(indentedOtherwise(conversion.file, span.start));
  if (isScalar(key) && key.value !== null && key.source !== '<<')
    return { name: String(key.source ?? key.value), span };
  const merge = isScalar(key) && key.source === '<<';
  conversion.diagnostics.push({
    code: merge ? 'yaml-merge-key' : 'yaml-key',
    message: merge ? 'merge keys (`<<`) are not part of YAML 1.2' : 'a key must be a plain word',
    span,
    help: merge
      ? `put shared values into \`params\` and use them as \`\${params.name}\``
      : 'write it as text',
  });
  return undefined;
}

/** A missing value is shown by its key. */
function pairValue(conversion: Conversion, { value }: Pair, keySpan: Span): YamlNode {
  const missing = !isNode(value) || (isScalar(value) && value.value === null && (value.source ?? '') === '');
  return missing ? { kind: 'scalar', value: null, span: keySpan } : convert(conversion, value);
}

function convertAlias(conversion: Conversion, { source, ...alias }: Alias): YamlNode {
  const span = spanOf(conversion, alias);
  const target = conversion.anchors.get(source);
  if (target !== undefined && !conversion.open.has(target))
    return convert({ ...conversion, alias: conversion.alias ?? span }, target);
  conversion.diagnostics.push({
    code: 'yaml-alias',
    message:
      target === undefined ? `there is no anchor \`&${source}\` above` : `\`*${source}\` contains itself`,
    span,
  });
  return { kind: 'scalar', value: null, span, reported: true };
}

function convertScalar(conversion: Conversion, node: Scalar): YamlScalar {
  const span = spanOf(conversion, node);
  const { value } = node;
  if (value === null || typeof value === 'boolean' || typeof value === 'string')
    return { kind: 'scalar', value, span };
  const number = Number(value);
  const exact =
    typeof value === 'bigint'
      ? BigInt(Number.isSafeInteger(number) ? number : 0) === value
      : Number.isFinite(number);
  if (exact) return { kind: 'scalar', value: number, span };
  conversion.diagnostics.push({
    code: 'yaml-number',
    message: `\`${node.source ?? String(value)}\` is not a number that can be represented exactly`,
    span,
    help: 'quote it if it is meant as text',
  });
  return { kind: 'scalar', value: 0, span, reported: true };
}

function beyondLimits({ counted, open, diagnostics, alias }: Conversion, span: Span): YamlNode {
  const message =
    open.size > deepest
      ? `maps and lists are nested more than ${deepest} deep here`
      : `with its aliases expanded the file has more than ${mostNodes} values`;
  // Reported once, since everything that follows is beyond the limits too.
  if (!counted.beyondLimits) diagnostics.push({ code: 'yaml-too-large', message, span: alias ?? span });
  counted.beyondLimits = true;
  return { kind: 'scalar', value: null, span, reported: true };
}

function spanOf({ file }: Conversion, { range }: Pick<Node, 'range'>): Span {
  const [start, end] = range ?? [0, 0];
  return { file, start, end };
}
