import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { childOf } from '../source/yaml-at.ts';
import type { StageDefinition } from '../stage/stage-definition.ts';
import type { WrittenStage } from './check-stage.ts';

/** The stage that `uses` names, or the id where there is no `uses`. */
export function findDefinition({ id, entry, registry }: WrittenStage): Checked<StageDefinition | undefined> {
  const uses = childOf(entry.value, 'uses');
  // Another type than text is a mistake of the shape, and reported as that.
  if (uses !== undefined && (uses.reported || uses.kind !== 'scalar' || typeof uses.value !== 'string'))
    return { value: undefined, diagnostics: [] };
  const name = uses === undefined ? id : String(uses.value);
  const definition = registry.get(name);
  if (definition !== undefined) return { value: definition, diagnostics: [] };
  const known = [...registry.keys()];
  const diagnostic: Diagnostic =
    uses === undefined ? withoutUses({ id, known, entry }) : unknownUses({ name, known, node: uses });
  return { value: undefined, diagnostics: [diagnostic] };
}

function withoutUses({
  id,
  known,
  entry,
}: {
  id: string;
  known: readonly string[];
  entry: WrittenStage['entry'];
}): Diagnostic {
  return {
    code: 'unknown-stage',
    message: `${quoted(id)} is no stage that comes with tuneloom, and it has no \`uses\` that names one`,
    span: entry.keySpan,
    help: didYouMean(id, known) ?? `add \`uses:\` with ${listOf(known, 'or')}`,
  };
}

function unknownUses({
  name,
  known,
  node,
}: {
  name: string;
  known: readonly string[];
  node: WrittenStage['entry']['value'];
}): Diagnostic {
  const span = node.span;
  return {
    code: 'unknown-stage',
    message: `${quoted(name)} is no stage that comes with tuneloom`,
    span,
    help: name.includes('/')
      ? `a path begins with \`./\`: write \`./${name}\``
      : (didYouMean(name, known) ?? `the stages are ${listOf(known, 'and')}`),
  };
}
