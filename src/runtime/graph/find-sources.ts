import { dirname, resolve, sep } from 'node:path';
import { hasFilePattern, isList, isObject, type Json, type JsonObject } from '../../core/index.ts';
import { applicableSchemas, childSchema, someMember } from '../config/schema/applicable-schemas.ts';
import type { StageSetup } from '../config/valid-pipeline.ts';
import { type Diagnostic, quoted } from '../diagnostic/diagnostic.ts';
import { sourceExists } from '../stage/source-pattern.ts';
import type { SourceResolvers } from '../stage/source-resolver.ts';
import type { ConfigSchema } from '../stage/stage-definition.ts';
import { describeNeighbors, displayPathOf } from '../yaml/document-reader.ts';
import { formatPointer, yamlAt } from '../yaml/yaml-doc.ts';
import type { SourceField } from './dag.ts';

export interface FoundSources {
  /** The configuration with absolute paths in its source fields. */
  readonly config: JsonObject;
  readonly sources: readonly SourceField[];
}

/**
 * The fields of a valid configuration that the schema marks `x-key: source`. An address whose scheme has a resolver is
 * a remote source; other addresses are left to the stage.
 */
export function findSources(
  { definition, config, written }: StageSetup,
  { folder, resolvers }: { readonly folder: string; readonly resolvers: SourceResolvers },
): FoundSources {
  if (!namesSources(definition.schema)) return { config, sources: [] };
  const sources: SourceField[] = [];
  const visit = (
    value: Json,
    { schemas, path }: { schemas: readonly ConfigSchema[]; path: readonly string[] },
  ): Json => {
    const applicable = schemas.flatMap((schema) => applicableSchemas(schema, value));
    if (typeof value === 'string') {
      if (!applicable.some((schema) => schema['x-key'] === 'source')) return value;
      const scheme = schemeOf(value);
      const resolver = scheme === undefined ? undefined : resolvers.get(scheme);
      if (scheme !== undefined && resolver === undefined) return value;
      const source =
        resolver === undefined
          ? sourceAt({ path, value, written, folder })
          : { pointer: formatPointer(path), path: value, span: yamlAt(written, path).node.span, resolver };
      const { inspect } = definition;
      const { pointer } = source;
      sources.push({ ...source, ...(inspect && { inspect: (path) => inspect({ config, pointer, path }) }) });
      return source.path;
    }
    const child = (key: string, item: Json): Json =>
      visit(item, {
        schemas: applicable
          .map((schema) => childSchema(schema, key))
          .filter((schema) => schema !== undefined),
        path: [...path, key],
      });
    if (isList(value)) return value.map((item, index) => child(String(index), item));
    return isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, child(key, item)]))
      : value;
  };
  const found = visit(config, { schemas: [definition.schema], path: [] });
  // The walk keeps the kind of every value, so a map stays a map.
  return { config: found as JsonObject, sources };
}

/** Whether any field of a schema is a source. Cached, because thousands of stages share a schema. */
function namesSources(schema: ConfigSchema): boolean {
  const isMark = (name: string, value: Json): boolean => name === 'x-key' && value === 'source';
  const known = namesSourcesBySchema.get(schema) ?? someMember(schema, isMark);
  namesSourcesBySchema.set(schema, known);
  return known;
}

const namesSourcesBySchema = new WeakMap<ConfigSchema, boolean>();

function sourceAt({
  path,
  value,
  written,
  folder,
}: {
  readonly path: readonly string[];
  readonly value: string;
  readonly written: StageSetup['written'];
  readonly folder: string;
}): SourceField {
  const { node, exact } = yamlAt(written, path);
  // A path is relative to the file that has it, which for a parameter may be the command line.
  const base = exact ? dirname(node.span.file.path) : folder;
  return { pointer: formatPointer(path), path: resolve(base, value), span: node.span };
}

/** At least two letters: a single one is a drive. */
const schemeOf = (text: string): string | undefined =>
  /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();

/** A diagnostic for each source that does not exist or has a bad address. Each path is checked once. */
export async function checkSources(
  sources: readonly SourceField[],
  {
    workingDirectory,
    mayBeAbsent = () => false,
  }: { readonly workingDirectory: string; readonly mayBeAbsent?: (path: string) => boolean },
): Promise<readonly Diagnostic[]> {
  const paths = [...new Set(sources.filter(isLocal).map(({ path }) => path))];
  const absent = new Set(paths.filter((path) => !sourceExists(path) && !mayBeAbsent(path)));
  // A parameter that several stages use is one place and one mistake.
  const places = new Map(
    sources.map((source) => [`${source.span.file.path} ${source.span.start} ${source.path}`, source]),
  );
  const missing = [...places.values()].filter((source) => isLocal(source) && absent.has(source.path));
  const files = await Promise.all(missing.map((source) => missingFile(source, workingDirectory)));
  return [...files, ...[...places.values()].flatMap(badAddress)];
}

const isLocal = ({ resolver }: SourceField): boolean => resolver === undefined;

function badAddress({ path, resolver, span }: SourceField): readonly Diagnostic[] {
  const problem = resolver?.check(path);
  return problem === undefined ? [] : [{ ...problem, span }];
}

/** Help for a path as another system or a shell would understand it. */
function foreignPath(shown: string): string | undefined {
  if (/(^|\/)~\//.test(shown)) return '`~` is not expanded here: write the whole path';
  const isWindows = sep === '/' && shown.includes('\\');
  return isWindows ? `folders are separated by \`/\`: ${quoted(shown.replaceAll('\\', '/'))}` : undefined;
}

async function missingFile({ path, span }: SourceField, workingDirectory: string): Promise<Diagnostic> {
  const shown = displayPathOf(path, workingDirectory);
  const isPattern = hasFilePattern(path);
  const help = isPattern ? undefined : (foreignPath(shown) ?? (await describeNeighbors(path, shown)));
  return {
    code: 'missing-file',
    message: isPattern ? `no file matches ${quoted(shown)}` : `there is no file or folder ${quoted(shown)}`,
    span,
    ...(help !== undefined && { help }),
  };
}
