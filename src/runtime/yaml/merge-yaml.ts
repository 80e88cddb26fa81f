import { didYouMean } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { YamlEntry, YamlMap, YamlNode } from './yaml-doc.ts';

/**
 * Merges an overlay into the file it extends: maps merge, lists and scalars replace, `null` removes. Every value keeps
 * the place where it was written: mistakes are shown there, and relative paths start there.
 */
export function mergeYaml(base: YamlNode, overlay: YamlNode): Checked<YamlNode> {
  const diagnostics: Diagnostic[] = [];
  return { value: merge(base, overlay, { path: [], diagnostics }), diagnostics };
}

interface Merging {
  readonly path: readonly string[];
  readonly diagnostics: Diagnostic[];
}

const merge = (base: YamlNode, overlay: YamlNode, merging: Merging): YamlNode =>
  base.kind === 'map' && overlay.kind === 'map' ? mergeMaps(base, overlay, merging) : overlay;

function mergeMaps(base: YamlMap, overlay: YamlMap, { path, diagnostics }: Merging): YamlMap {
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
        before === undefined ? entry : mergeEntries(before, entry, { path: [...path, key], diagnostics }),
      );
      removed.delete(key);
    }
  }
  const reported = base.reported === true || overlay.reported === true;
  return { ...overlay, entries, ...(removed.size > 0 && { removed }), ...(reported && { reported }) };
}

/** A merged map keeps the place of the base's key; any other value has the overlay's. */
function mergeEntries(before: YamlEntry, entry: YamlEntry, merging: Merging): YamlEntry {
  const value = merge(before.value, entry.value, merging);
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
    message: `${quoted(key)} is empty, which removes a value of the extended file, and ${owner} has no ${quoted(key)} there`,
    span: entry.keySpan,
    help: didYouMean(key, known) ?? `${owner} has ${known.length === 0 ? 'nothing' : listOf(known, 'and')}`,
  };
}
