import { dirname, resolve } from 'node:path';
import { suggest } from '../../core/index.ts';
import { schema } from '../../generated/validators/pipeline.js';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { DocumentReader } from '../yaml/document-reader.ts';
import { mergeYaml } from '../yaml/merge-yaml.ts';
import { childOf, textOf, type YamlDoc, type YamlMap, type YamlNode } from '../yaml/yaml-doc.ts';
import { propertiesOf } from './schema/applicable-schemas.ts';

interface PipelineFile {
  /** Absolute. */
  readonly path: string;
  /** Where another file names it. */
  readonly namedAt: Span | undefined;
  /** The files that lead here through `extends`, outermost first. */
  readonly above: readonly string[];
}

/** Reads a pipeline file and merges it into all that it extends. Undefined where a file is missing or not a pipeline. */
export async function readPipeline(
  { path, namedAt, above = [] }: Omit<PipelineFile, 'above'> & Partial<PipelineFile>,
  reader: DocumentReader,
): Promise<Checked<YamlDoc | undefined>> {
  const { value: doc, diagnostics } = await reader.read(path, namedAt);
  if (doc === undefined) return { value: undefined, diagnostics };
  const foreign = foreignFile(doc);
  if (foreign !== undefined) return { value: undefined, diagnostics: [foreign] };
  const bases = basesOf(doc.root);
  if (bases === undefined || doc.root.kind !== 'map') return { value: doc, diagnostics };
  const chain = [...above, path];
  const read = await readBases({ bases, chain, root: withoutExtends(doc.root) }, reader);
  return {
    value: read.value && { ...doc, root: read.value },
    diagnostics: [...diagnostics, ...read.diagnostics],
  };
}

/** Merges the extended files from left to right, and the one that names them into the result. */
async function readBases(
  {
    bases,
    chain,
    root,
  }: { readonly bases: readonly YamlNode[]; readonly chain: readonly string[]; readonly root: YamlMap },
  reader: DocumentReader,
): Promise<Checked<YamlNode | undefined>> {
  const diagnostics: Diagnostic[] = [];
  let below: YamlNode | undefined;
  let complete = true;
  for (const base of bases) {
    const { span } = base;
    const path = resolve(dirname(span.file.path), textOf(base) ?? '');
    const cycle = chain.includes(path) ? fileCycle('extends', { path, chain, span, reader }) : undefined;
    const { isTooMany, diagnostics: tooMany } = reader.takeIn(path, { verb: 'extends', span });
    const read: Checked<YamlDoc | undefined> =
      cycle === undefined && !isTooMany
        ? await readPipeline({ path, namedAt: span, above: chain }, reader)
        : { value: undefined, diagnostics: cycle === undefined ? tooMany : [cycle] };
    diagnostics.push(...read.diagnostics);
    complete &&= read.value !== undefined;
    if (read.value === undefined) continue;
    const merged = below === undefined ? undefined : mergeYaml(below, inheritable(read.value.root));
    diagnostics.push(...(merged?.diagnostics ?? []));
    below = merged?.value ?? inheritable(read.value.root);
  }
  if (!complete || below === undefined) return { value: undefined, diagnostics };
  const { value, diagnostics: mistakes } = mergeYaml(below, root);
  return { value, diagnostics: [...diagnostics, ...mistakes] };
}

/** What `extends` lists; undefined where it is absent or of the wrong type, which the check of the shape reports. */
function basesOf(root: YamlNode): readonly YamlNode[] | undefined {
  const written = childOf(root, 'extends');
  const bases = written?.kind === 'list' ? written.items : written === undefined ? [] : [written];
  return bases.length === 0 || bases.some((base) => !textOf(base)) ? undefined : bases;
}

const withoutExtends = (root: YamlMap): YamlMap => without(root, ['extends']);

/** Without what belongs to one pipeline alone: two experiments must not share a name, and so a folder. */
const inheritable = (root: YamlNode): YamlNode =>
  root.kind === 'map' ? without(root, ['name', 'description', 'try_next']) : root;

const without = (root: YamlMap, keys: readonly string[]): YamlMap => ({
  ...root,
  entries: new Map([...root.entries].filter(([key]) => !keys.includes(key))),
});

/** A file at `path` that is in its own chain of files; the span names it for the second time. */
export function fileCycle(
  verb: 'extends' | 'uses',
  {
    path,
    chain,
    span,
    reader,
  }: Pick<PipelineFile, 'path'> & {
    readonly chain: readonly string[];
    readonly span: Span;
    readonly reader: DocumentReader;
  },
): Diagnostic {
  const shown = [...chain.slice(chain.indexOf(path)), path].map((each) => reader.display(each));
  return { code: 'cycle', message: `${quoted(shown[0] ?? '')} ${verb} itself: ${shown.join(' -> ')}`, span };
}

/** The one mistake of a file that is something else, a lock or another tool's: its fields are not worth checking. */
function foreignFile({ file, root }: YamlDoc): Diagnostic | undefined {
  const span = { ...root.span, end: root.span.start + 1 };
  const name = quoted(file.displayPath);
  if (isLock(root))
    return {
      code: 'not-a-pipeline',
      message: `${name} is the lock of a pipeline, not a pipeline`,
      span,
      help: 'name the pipeline itself',
    };
  const strange = strangeKeys(root);
  if (root.kind === 'map' && strange === undefined) return undefined;
  return {
    code: 'not-a-pipeline',
    message: `${name} is not a pipeline: it has no map of \`stages\`, but ${contentOf(root, strange ?? [])}`,
    span,
    help: 'name a pipeline file; `tuneloom init` writes one to begin with',
  };
}

const isLock = (root: YamlNode): boolean =>
  ['format', 'sources', 'stages'].every((key) => childOf(root, key) !== undefined);

/** The keys of a map that does not resemble a pipeline; undefined where it may be meant as one. */
function strangeKeys(root: YamlNode): readonly string[] | undefined {
  if (root.kind !== 'map' || childOf(root, 'stages')?.kind === 'map') return undefined;
  const known = Object.keys(propertiesOf(schema));
  const strange = [...root.entries.keys()].filter((key) => !known.includes(key));
  const meansOne = strange.some((key) => suggest(key, known) === 'stages');
  return strange.length < 2 || meansOne ? undefined : strange;
}

const contentOf = (root: YamlNode, strange: readonly string[]): string =>
  root.kind === 'map'
    ? listOf(strange.slice(0, 3), 'and')
    : root.kind === 'list'
      ? 'a list'
      : 'a single value';
