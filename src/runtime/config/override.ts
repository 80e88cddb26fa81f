import { join } from 'node:path';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { YamlNode } from '../source/yaml-doc.ts';

/** The file that a diagnostic about an override names. */
export const commandLine = 'command line';

/** One value that the command line puts into the pipeline. */
export interface Override {
  /** From the pipeline's root: `['params', 'epochs']`. */
  readonly path: readonly string[];
  readonly pathSpan: Span;
  readonly value: YamlNode;
}

/** Whether an override is for a stage of a sub-pipeline: `stages.mmlu/format.with.shots`. */
export const isForStageWithin = ({ path: [section, name] }: Override): boolean =>
  section === 'stages' && name?.includes('/') === true;

/** The override as the sub-pipeline of that id is to be given it; none where it is for another. */
export function overrideWithin(override: Override, id: string): readonly Override[] {
  const [section = '', name = '', ...field] = override.path;
  return name.startsWith(`${id}/`)
    ? [{ ...override, path: [section, name.slice(id.length + 1), ...field] }]
    : [];
}

interface OverrideTexts {
  /** `name=value`, the values of `-p`. */
  readonly params: readonly string[];
  /** `stages.train.with.epochs=3`, the values of `--set`. */
  readonly sets: readonly string[];
  readonly workingDirectory: string;
}

/** The command line's overrides, in order; each is a small file of its own, so that a diagnostic can show it. */
export function parseOverrides({
  params,
  sets,
  workingDirectory,
}: OverrideTexts): Checked<readonly Override[]> {
  const parsed = [
    ...params.map((text) => parseOverride({ flag: '-p', text, below: ['params'], workingDirectory })),
    ...sets.map((text) => parseOverride({ flag: '--set', text, below: [], workingDirectory })),
  ];
  return {
    value: parsed.map(({ value }) => value).filter((override) => override !== undefined),
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
  };
}

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
  const path = join(workingDirectory, commandLine);
  const file: SourceFile = { path, displayPath: commandLine, text: `${flag} ${text}` };
  const start = flag.length + 1;
  const equals = text.indexOf('=');
  const pathSpan = { file, start, end: equals < 0 ? file.text.length : start + equals };
  if (equals <= 0) return { value: undefined, diagnostics: [withoutValue(flag, pathSpan)] };
  const { value, diagnostics } = parseValue(file, start + equals + 1);
  return {
    value: value && { path: [...below, ...text.slice(0, equals).split('.')], pathSpan, value },
    diagnostics,
  };
}

/** Parses the rest of the line as YAML. White space stands in for what is before it, so that places stay true. */
function parseValue(file: SourceFile, start: number): Checked<YamlNode | undefined> {
  const blanked: SourceFile = { ...file, text: ' '.repeat(start) + file.text.slice(start) };
  const { value, diagnostics } = parseYaml(blanked);
  const empty: YamlNode = { kind: 'scalar', value: null, span: { file, start, end: start } };
  const shown = diagnostics.map((diagnostic) => ({
    ...diagnostic,
    ...(diagnostic.span && { span: { ...diagnostic.span, file } }),
  }));
  if (value === undefined) return { value: shown.length === 0 ? empty : undefined, diagnostics: shown };
  return { value: inFile(value.root, file), diagnostics: shown };
}

/** The same value, with places in the file as the user typed it. */
function inFile(node: YamlNode, file: SourceFile): YamlNode {
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
