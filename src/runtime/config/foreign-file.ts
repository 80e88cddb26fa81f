import { schema } from '../../generated/validators/pipeline.js';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { suggest } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { childOf } from '../source/yaml-at.ts';
import type { YamlDoc, YamlNode } from '../source/yaml-doc.ts';
import { propertiesOf } from './schema/applicable-schemas.ts';

/** Says of a file that is something else, a lock or another tool's, just that: not what a pipeline in its place would have wrong. */
export function foreignFile({ file, root }: YamlDoc): Diagnostic | undefined {
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
    message: `${name} is no pipeline: it has no map of \`stages\`, but ${contentOf(root, strange ?? [])}`,
    span,
    help: 'name a pipeline file; `tuneloom init` writes one to begin with',
  };
}

const isLock = (root: YamlNode): boolean =>
  ['format', 'sources', 'stages'].every((key) => childOf(root, key) !== undefined);

/** The keys of a map that is nothing like a pipeline; undefined where it may be meant as one. */
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
