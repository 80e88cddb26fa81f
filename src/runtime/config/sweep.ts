import { createHash } from 'node:crypto';
import { didYouMean } from '../../core/index.ts';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import { childOf, mapOf, type YamlEntry, type YamlMap, type YamlNode, yamlToJson } from '../yaml/yaml-doc.ts';
import type { Override } from './override.ts';
import { listParameters } from './substitute-params.ts';

/** One setting of the params that a sweep varies: name -> value. */
export type SweepPoint = ReadonlyMap<string, YamlEntry>;

const mostPoints = 1000;

/**
 * The points of `sweep`: every combination of a grid, the last name varying fastest, or those of a list. Undefined where
 * there is no sweep, or one of the wrong shape, which the check of the shape reports.
 */
export function sweepPoints(root: YamlNode): Checked<readonly SweepPoint[] | undefined> {
  const sweep = childOf(root, 'sweep');
  if (sweep === undefined) return { value: undefined, diagnostics: [] };
  const points = sweep.kind === 'list' ? listOfPoints(sweep.items) : gridOf(childOf(sweep, 'grid'));
  if (points === undefined || points.length === 0) return { value: undefined, diagnostics: [] };
  const diagnostics = [
    ...entriesOf(points).flatMap(([name, entry]) => mistakesOf(name, { entry, root })),
    ...tooMany(points, sweep.span),
    ...duplicates(points),
  ];
  return { value: diagnostics.length === 0 ? points : undefined, diagnostics };
}

/** A point as overrides, as the command line would give them. */
export const overridesOf = (point: SweepPoint): readonly Override[] =>
  [...point].map(([name, { keySpan, value }]) => ({
    path: ['params', name],
    within: [],
    pathSpan: keySpan,
    value,
  }));

function listOfPoints(items: readonly YamlNode[]): readonly SweepPoint[] | undefined {
  const points = items.map((item) => mapOf(item)?.entries).filter((point) => point !== undefined);
  return points.length === items.length ? points : undefined;
}

/** Names in the order of their code units, because the order of a map means nothing. */
function gridOf(grid: YamlNode | undefined): readonly SweepPoint[] | undefined {
  if (grid?.kind !== 'map' || grid.entries.size === 0) return undefined;
  const names = [...grid.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  let points: readonly SweepPoint[] = [new Map()];
  for (const [name, { keySpan, value }] of names) {
    if (value.kind !== 'list') return undefined;
    const { items } = value;
    if (points.length * items.length > mostPoints * 10) return undefined;
    points = points.flatMap((point) =>
      items.map((item) => new Map(point).set(name, { keySpan, value: item })),
    );
  }
  return points;
}

/** Each value once, since many points of a grid share it. */
function entriesOf(points: readonly SweepPoint[]): readonly (readonly [string, YamlEntry])[] {
  const seen = new Map<YamlNode, readonly [string, YamlEntry]>();
  for (const point of points) for (const each of point) seen.set(each[1].value, each);
  return [...seen.values()];
}

function mistakesOf(
  name: string,
  at: { readonly entry: YamlEntry; readonly root: YamlNode },
): readonly Diagnostic[] {
  const { keySpan, value } = at.entry;
  const params: YamlMap | undefined = mapOf(childOf(at.root, 'params'));
  const known = [...(params?.entries.keys() ?? [])];
  if (!known.includes(name))
    return [
      {
        code: 'unknown-parameter',
        message: `the pipeline has no parameter ${quoted(name)} to sweep over`,
        span: keySpan,
        help: didYouMean(name, known) ?? listParameters(known),
      },
    ];
  if (value.reported || (value.kind === 'scalar' && value.value !== null)) return [];
  return [
    {
      code: 'wrong-type',
      message: `a point of ${quoted(name)} must be text, a number or true or false, not ${value.kind === 'scalar' ? 'empty' : `a ${value.kind}`}`,
      span: value.span,
    },
  ];
}

function tooMany({ length }: readonly SweepPoint[], span: Span): readonly Diagnostic[] {
  if (length <= mostPoints) return [];
  const message = `the sweep has ${length} points; it can have ${mostPoints}`;
  return [{ code: 'too-many-points', message, span: { ...span, end: span.start + 1 } }];
}

/** A repeated point would be one result under two names. A repeated value of a grid is reported once. */
function duplicates(points: readonly SweepPoint[]): readonly Diagnostic[] {
  const first = new Map<string, SweepPoint>();
  const repeated = new Map<YamlNode, YamlNode>();
  for (const point of points) {
    const spelled = JSON.stringify([...point].map(([name, { value }]) => [name, yamlToJson(value)]).sort());
    const before = first.get(spelled);
    if (before === undefined) first.set(spelled, point);
    const pairs = [...point].map(([name, { value }]) => ({ value, earlier: before?.get(name)?.value }));
    const pair = pairs.find(({ value, earlier }) => earlier !== undefined && earlier !== value);
    if (pair?.earlier !== undefined) repeated.set(pair.value, pair.earlier);
  }
  return [...repeated].map(([value, earlier]) => ({
    code: 'duplicate-item',
    message: 'this point is repeated here',
    span: value.span,
    related: { kind: 'first', span: earlier.span },
  }));
}

interface NarrowedSweep {
  /** The points at which every swept param has the value that the command line gives it. */
  readonly points: readonly SweepPoint[];
  /** The overrides of everything else. */
  readonly overrides: readonly Override[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `-p` of a swept param chooses among the points; a value that none of them has is a mistake. */
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
    help: `${values.length === 1 ? 'the value' : 'the values'} to choose from: ${listOf(values.slice(0, 12), 'or')}; add another to the sweep`,
    ...(span && { related: { kind: 'sweep', span } }),
  };
}

/** A point's label, `epochs=2,learning_rate=0.0001`, in the order of the names' code units. */
export const pointLabel = (point: SweepPoint, names: Iterable<string> = point.keys()): string =>
  [...names]
    .sort()
    .map((name) => `${name}=${valueText(point, name)}`)
    .join(',');

/** A text that is no plain word gets a few digits of its hash, so that two that look alike differ. */
function valueText(point: SweepPoint, name: string): string {
  const entry = point.get(name);
  const value = entry === undefined ? 'default' : yamlToJson(entry.value);
  const text = String(value);
  const isPlain = typeof value !== 'string' || /^(?!true$|false$)[A-Za-z][\w.+-]{0,39}$/.test(text);
  if (isPlain) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${text.replaceAll(/[^\w.+-]+/g, '-').slice(0, 40)}-${hash}`;
}
