import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { didYouMean } from '../diagnostic/suggest.ts';
import { listOf } from '../diagnostic/wording.ts';
import { childOf, mapOf } from '../source/yaml-at.ts';
import type { YamlMap, YamlNode } from '../source/yaml-doc.ts';
import type { Override } from './override.ts';

/** The pipeline with the command line's values in the place of its own; a later override wins. */
export function applyOverrides(root: YamlNode, overrides: readonly Override[]): Checked<YamlNode> {
  const diagnostics: Diagnostic[] = [];
  let value = root;
  for (const override of overrides) {
    const mistake = misplaced(value, override) ?? undefined;
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
  if (!known.includes(name)) return unknownName({ section, name, known, span: pathSpan });
  if (section === 'stages' && path.length < 3)
    return {
      code: 'bad-override',
      message: `\`${path.join('.')}\` is a whole stage`,
      span: pathSpan,
      help: 'name one of its fields',
    };
  return undefined;
}

function unknownName({
  section,
  name,
  known,
  span,
}: {
  readonly section: 'params' | 'stages';
  readonly name: string;
  readonly known: readonly string[];
  readonly span: Span;
}): Diagnostic {
  const noun = section === 'params' ? 'parameter' : 'stage';
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
