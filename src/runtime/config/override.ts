import { join } from 'node:path';
import { didYouMean } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, type Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { childOf, mapOf, type YamlMap, type YamlNode } from '../yaml/yaml-doc.ts';

/** One value that the command line puts into the pipeline. */
export interface Override {
  /** From the pipeline's root: `['params', 'epochs']`. */
  readonly path: readonly string[];
  /** The stages whose sub-pipelines the path is in, outermost first: `['mmlu']` of `stages.mmlu/format.with.shots`. */
  readonly within: readonly string[];
  readonly pathSpan: Span;
  readonly value: YamlNode;
}

/** The overrides for the sub-pipeline that a stage uses, as that pipeline sees them. */
export const overridesWithin = (overrides: readonly Override[], id: string): readonly Override[] =>
  overrides.flatMap(({ within: [outermost, ...within], ...override }) =>
    outermost === id ? [{ ...override, within }] : [],
  );

/** The diagnostic for an override that names a stage within one that is not a sub-pipeline. */
export function checkStray(root: YamlNode, { path, within, ...override }: Override): readonly Diagnostic[] {
  const [section = '', name = '', ...field] = path;
  const outermost = { ...override, within: [], path: [section, [...within, name].join('/'), ...field] };
  return applyOverrides(root, [outermost]).diagnostics;
}

/** The command line's overrides, in order; each is a small file so that a diagnostic can show it. */
export function parseOverrides({
  params,
  sets,
  workingDirectory,
}: {
  /** `name=value`, the values of `-p`. */
  readonly params: readonly string[];
  /** `stages.train.with.epochs=3`, the values of `--set`. */
  readonly sets: readonly string[];
  readonly workingDirectory: string;
}): Checked<readonly Override[]> {
  const parsed = [
    ...params.map((text) => parseOverride({ flag: '-p', text, below: ['params'], workingDirectory })),
    ...sets.map((text) => parseOverride({ flag: '--set', text, below: [], workingDirectory })),
  ];
  return {
    value: parsed.map(({ value }) => value).filter((override) => override !== undefined),
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
  };
}

const displayPath = 'command line';

function parseOverride({
  flag,
  text,
  below,
  workingDirectory,
}: {
  readonly flag: string;
  readonly text: string;
  readonly below: readonly string[];
  readonly workingDirectory: string;
}): Checked<Override | undefined> {
  // A relative path in the value is relative to the folder of this made-up file: the working directory.
  const path = join(workingDirectory, displayPath);
  const file: TextFile = { path, displayPath, text: `${flag} ${text}`, isCommandLine: true };
  const start = flag.length + 1;
  const equals = text.indexOf('=');
  const pathSpan = { file, start, end: equals < 0 ? file.text.length : start + equals };
  if (equals <= 0) return { value: undefined, diagnostics: [withoutValue(flag, pathSpan)] };
  const { value, diagnostics } = parseValue(file, start + equals + 1);
  const [section = '', name = '', ...field] = [...below, ...text.slice(0, equals).split('.')];
  const ids = section === 'stages' ? name.split('/') : [name];
  const within = ids.slice(0, -1);
  return {
    value: value && { path: [section, ids.at(-1) ?? '', ...field], within, pathSpan, value },
    diagnostics,
  };
}

/** Parses the rest of the line as YAML. Spaces replace what is before it, so that offsets stay the same. */
function parseValue(file: TextFile, start: number): Checked<YamlNode | undefined> {
  const blanked: TextFile = { ...file, text: ' '.repeat(start) + file.text.slice(start) };
  const { value, diagnostics } = parseYaml(blanked);
  const empty: YamlNode = { kind: 'scalar', value: null, span: { file, start, end: start } };
  const shown = diagnostics.map((diagnostic) => ({
    ...diagnostic,
    ...(diagnostic.span && { span: { ...diagnostic.span, file } }),
  }));
  if (value === undefined) return { value: shown.length === 0 ? empty : undefined, diagnostics: shown };
  return { value: inFile(value.root, file), diagnostics: shown };
}

/** The same value with its places in the file as typed. */
function inFile(node: YamlNode, file: TextFile): YamlNode {
  const span = { ...node.span, file };
  switch (node.kind) {
    case 'scalar':
      return { ...node, span };
    case 'list':
      return { ...node, span, items: node.items.map((item) => inFile(item, file)) };
    case 'map': {
      const entries = [...node.entries].map(
        ([key, { keySpan, value }]) =>
          [key, { keySpan: { ...keySpan, file }, value: inFile(value, file) }] as const,
      );
      return { ...node, span, entries: new Map(entries) };
    }
    default:
      return node satisfies never;
  }
}

const withoutValue = (flag: string, span: Span): Diagnostic => ({
  code: 'bad-override',
  message: 'an override has the form `name=value`',
  span,
  help: flag === '-p' ? 'for example `-p epochs=3`' : 'for example `--set stages.train.with.epochs=3`',
});

/** The pipeline with the command line's values in place of its own; a later override wins. */
export function applyOverrides(root: YamlNode, overrides: readonly Override[]): Checked<YamlNode> {
  const diagnostics: Diagnostic[] = [];
  let value = root;
  for (const override of overrides) {
    const mistake = misplaced(value, override);
    if (mistake === undefined) value = replaced(value, override.path, override);
    else diagnostics.push(mistake);
  }
  return { value, diagnostics };
}

/** Only what the file declares can be overridden: a known parameter, or a field of a known stage. */
function misplaced(root: YamlNode, { path, pathSpan }: Override): Diagnostic | undefined {
  const [section = '', name = ''] = path;
  if (section !== 'params' && section !== 'stages')
    return {
      code: 'bad-override',
      message: `\`${section}\` cannot be set`,
      span: pathSpan,
      help: didYouMean(section, ['params', 'stages']) ?? 'begin with `params.` or `stages.`',
    };
  const known = [...(mapOf(childOf(root, section))?.entries.keys() ?? [])];
  if (!known.includes(name))
    return unknownName(section === 'params' ? 'parameter' : 'stage', { name, known, span: pathSpan });
  if (section === 'stages' && path.length < 3)
    return {
      code: 'bad-override',
      message: `\`${path.join('.')}\` is a whole stage`,
      span: pathSpan,
      help: 'name one of its fields',
    };
  return undefined;
}

function unknownName(
  noun: 'parameter' | 'stage',
  { name, known, span }: { readonly name: string; readonly known: readonly string[]; readonly span: Span },
): Diagnostic {
  const all = known.length === 0 ? `it has no ${noun}s` : `its ${noun}s are ${listOf(known, 'and')}`;
  return {
    code: `unknown-${noun}`,
    message: `the pipeline has no ${noun} \`${name}\``,
    span,
    help: didYouMean(name, known) ?? all,
  };
}

function replaced(node: YamlNode, path: readonly string[], override: Override): YamlNode {
  const [step, ...rest] = path;
  if (step === undefined) return override.value;
  if (node.kind === 'list' && /^\d+$/.test(step) && Number(step) < node.items.length)
    return {
      ...node,
      items: node.items.map((item, index) =>
        index === Number(step) ? replaced(item, rest, override) : item,
      ),
    };
  const map: YamlMap =
    node.kind === 'map' ? node : { kind: 'map', entries: new Map(), span: override.pathSpan };
  const entry = map.entries.get(step) ?? { keySpan: override.pathSpan, value: emptyAt(override.pathSpan) };
  return {
    ...map,
    entries: new Map(map.entries).set(step, { ...entry, value: replaced(entry.value, rest, override) }),
  };
}

const emptyAt = (span: Span): YamlNode => ({ kind: 'scalar', value: null, span });
