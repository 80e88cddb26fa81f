import { didYouMean } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { YamlEntry, YamlMap, YamlNode } from './yaml-doc.ts';

/**
 * An overlay laid over what it extends: maps merge, lists and single values replace, `null` takes away. Every value
 * keeps the place where it was written, so that mistakes are shown and relative paths start there.
 */
export function mergeYaml(base: YamlNode, overlay: YamlNode): Checked<YamlNode> {
  const diagnostics: Diagnostic[] = [];
  return { value: merge({ base, overlay, path: [] }, diagnostics), diagnostics };
}

interface Layers<Node> {
  readonly base: Node;
  readonly overlay: Node;
  readonly path: readonly string[];
}

function merge({ base, overlay, path }: Layers<YamlNode>, diagnostics: Diagnostic[]): YamlNode {
  return base.kind === 'map' && overlay.kind === 'map'
    ? mergeMaps({ base, overlay, path }, diagnostics)
    : overlay;
}

function mergeMaps({ base, overlay, path }: Layers<YamlMap>, diagnostics: Diagnostic[]): YamlMap {
  const entries = new Map(base.entries);
  const removed = new Map<string, Span>(base.removed);
  for (const [key, entry] of overlay.entries) {
    const before = entries.get(key);
    if (isNull(entry.value)) {
      if (before === undefined) diagnostics.push(nothingToRemove(key, { base, entry, path }));
      entries.delete(key);
      removed.set(key, entry.keySpan);
    } else {
      entries.set(
        key,
        before === undefined ? entry : over(before, { entry, path: [...path, key] }, diagnostics),
      );
      removed.delete(key);
    }
  }
  const reported = base.reported === true || overlay.reported === true;
  return { ...overlay, entries, ...(removed.size > 0 && { removed }), ...(reported && { reported }) };
}

/** A map that is merged is still declared where the base has it; anything else is declared anew. */
function over(
  before: YamlEntry,
  { entry, path }: { readonly entry: YamlEntry; readonly path: readonly string[] },
  diagnostics: Diagnostic[],
): YamlEntry {
  const value = merge({ base: before.value, overlay: entry.value, path }, diagnostics);
  return { keySpan: value === entry.value ? entry.keySpan : before.keySpan, value };
}

const isNull = (node: YamlNode): boolean =>
  node.kind === 'scalar' && node.value === null && node.reported !== true;

function nothingToRemove(
  key: string,
  {
    base,
    entry,
    path,
  }: { readonly base: YamlMap; readonly entry: YamlEntry; readonly path: readonly string[] },
): Diagnostic {
  const known = [...base.entries.keys()];
  const owner = path.length === 0 ? 'the file' : quoted(path.join('.'));
  return {
    code: 'nothing-to-remove',
    message: `${quoted(key)} is empty, which takes away what the extended file has, and ${owner} has no ${quoted(key)} there`,
    span: entry.keySpan,
    help: didYouMean(key, known) ?? `${owner} has ${known.length === 0 ? 'nothing' : listOf(known, 'and')}`,
  };
}
