import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import { childOf } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import { yamlToJson } from '../source/yaml-to-json.ts';
import type { Override } from './override.ts';
import type { SweepPoint } from './sweep-points.ts';

export interface NarrowedSweep {
  /** The points at which every swept param has the value that the command line gives it. */
  readonly points: readonly SweepPoint[];
  /** What the command line says of all else. */
  readonly overrides: readonly Override[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `-p` of a param that is swept over chooses among the points: a value that none of them has is a mistake. */
export function narrowSweep(
  points: readonly SweepPoint[],
  { root, overrides }: { readonly root: YamlNode; readonly overrides: readonly Override[] },
): NarrowedSweep {
  const swept = new Set(points.flatMap((point) => [...point.keys()]));
  const isForPoints = ({ path: [section, name = ''] }: Override): boolean =>
    section === 'params' && swept.has(name);
  const valueAt = (point: SweepPoint, name: string): string =>
    spell(point.get(name)?.value ?? childOf(childOf(root, 'params'), name));
  const diagnostics: Diagnostic[] = [];
  let left = points;
  // A later value of the same param wins.
  const asked = new Map(overrides.filter(isForPoints).map((override) => [override.path[1] ?? '', override]));
  for (const [name, override] of asked) {
    const isValue = override.path.length === 2;
    const kept = left.filter((point) => isValue && valueAt(point, name) === spell(override.value));
    const values = [...new Set(left.map((point) => valueAt(point, name)))];
    if (kept.length === 0) diagnostics.push(noPoint(override, { name, values, at: points }));
    else left = kept;
  }
  return { points: left, overrides: overrides.filter((override) => !isForPoints(override)), diagnostics };
}

const spell = (node: YamlNode | undefined): string =>
  JSON.stringify(node === undefined ? null : yamlToJson(node));

function noPoint(
  { pathSpan, value }: Override,
  sweep: { readonly name: string; readonly values: readonly string[]; readonly at: readonly SweepPoint[] },
): Diagnostic {
  const { name, values, at } = sweep;
  const span = at.find((point) => point.has(name))?.get(name)?.keySpan;
  return {
    code: 'bad-override',
    message: `${quoted(name)} is swept over, and no point has the value ${spell(value)}`,
    span: pathSpan,
    help: `${values.length === 1 ? 'the value' : 'the values'} that could be chosen: ${listOf(values.slice(0, 12), 'or')}; another has to be in the sweep`,
    ...(span && { related: { span, message: 'it is swept over here' } }),
  };
}
