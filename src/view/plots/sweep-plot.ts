import type { Json } from '../../core/index.ts';
import { colorOf, figure, type PlotSpec, plotBase } from './plot-style.ts';

/** A point of a sweep, or a run among runs with other params. */
export interface PlottedPoint {
  readonly name: string;
  readonly params: Readonly<Record<string, Json>>;
  /** The points are compared by the first score that differs. */
  readonly scores: readonly {
    readonly name: string;
    readonly value: number;
    readonly higher_is_better: boolean;
  }[];
}

/**
 * Parallel coordinates: an axis for each param that differs, then one for each score, whose better end is always at the
 * top. A line is a point of the sweep; the best by the first score is emphasized.
 */
export function sweepPlot(
  points: readonly PlottedPoint[],
  { width: wanted = 640 }: { readonly width?: number } = {},
): PlotSpec {
  const names = differingScores(points);
  const axes = [...paramAxes(points), ...scoreAxes(points, names)];
  const width = Math.max(wanted, LEAST_AXIS_WIDTH * axes.length);
  const best = bestOf(points, names[0]);
  const lines = points.flatMap((point) =>
    axes.flatMap((axis, at) => {
      const height = axis.heightOf(point);
      return height === undefined ? [] : [{ name: point.name, at, height, best: point === best }];
    }),
  );
  const last = Math.max(axes.length - 1, 1);
  const x = {
    field: 'at',
    type: 'quantitative',
    axis: null,
    scale: { domain: [0, last], nice: false, padding: 60 },
  };
  const y = { field: 'height', type: 'quantitative', axis: null, scale: { domain: [0, 1], nice: false } };
  const ticks = axes.flatMap(({ ticks }, at) => ticks.map((tick) => ({ at, ...tick })));
  const heads = axes.map(({ title, note = [] }) => [...title.split(/(?<=\.)| /), ...note]);
  const lineCount = Math.max(0, ...heads.map((lines) => lines.length));
  const titles = heads.map((lines, at) => ({
    at,
    // Empty lines above, so that all titles end at the same height.
    title: [...Array.from({ length: lineCount - lines.length }, () => ''), ...lines],
  }));
  const text = { type: 'text', fontSize: 12 };
  return {
    ...plotBase,
    title: 'Sweep',
    description: describe(points, { axes, best, score: names[0] }),
    width,
    height: 280,
    layer: [
      {
        data: { values: axes.map((_, at) => ({ at })) },
        mark: { type: 'rule', color: colorOf('grid'), strokeWidth: 1.5 },
        encoding: { x, y: { datum: 0, type: 'quantitative', axis: null }, y2: { datum: 1 } },
      },
      lineLayer(lines, { x, y, best: false }),
      lineLayer(lines, { x, y, best: true }),
      // Each label has a border in the page's color, so that lines do not cross it.
      ...[{ stroke: colorOf('page'), strokeWidth: 4 }, {}].map((border) => ({
        data: { values: ticks },
        mark: { ...text, align: 'right', dx: -8, color: colorOf('muted'), ...border },
        encoding: { x, y, text: { field: 'label' } },
      })),
      {
        data: { values: titles },
        mark: { ...text, baseline: 'top', fontWeight: 600 },
        encoding: { x, y: { value: -16 - 15 * lineCount }, text: { field: 'title' } },
      },
    ],
  } as PlotSpec; // `layer` holds layers of several forms, which Vega-Lite's types do not join
}

function lineLayer(
  lines: readonly { readonly best: boolean }[],
  { x, y, best }: { readonly x: object; readonly y: object; readonly best: boolean },
): object {
  const look = best ? { color: colorOf('kept'), strokeWidth: 3 } : { color: colorOf('train'), opacity: 0.55 };
  return {
    data: { values: lines.filter((line) => line.best === best) },
    mark: { type: 'line', point: { size: best ? 60 : 35, color: look.color }, ...look },
    encoding: { x, y, detail: { field: 'name', type: 'nominal' } },
  };
}

interface Axis {
  readonly title: string;
  readonly note?: readonly string[];
  readonly ticks: readonly { readonly height: number; readonly label: string }[];
  /** From 0 at the bottom to 1 at the top; undefined where the point has no value. */
  readonly heightOf: (point: PlottedPoint) => number | undefined;
}

/** Room for a name such as `learning_rate`, in pixels. */
const LEAST_AXIS_WIDTH = 105;

/** The scores that differ between the points; all of them if none does. */
function differingScores(points: readonly PlottedPoint[]): readonly string[] {
  const names = [...new Set(points.flatMap(({ scores }) => scores.map(({ name }) => name)))];
  const differing = names.filter(
    (name) => new Set(points.map((point) => scoreOf(point, name)?.value)).size > 1,
  );
  return differing.length > 0 ? differing : names;
}

function paramAxes(points: readonly PlottedPoint[]): readonly Axis[] {
  const names = [...new Set(points.flatMap(({ params }) => Object.keys(params)))];
  return names.flatMap((name) => {
    const values = points.map(({ params }) => params[name]);
    const spelled = [...new Set(values.map((value) => JSON.stringify(value)))];
    if (spelled.length < 2) return [];
    const numbers = values.filter((value) => typeof value === 'number');
    const axis =
      numbers.length === values.length ? numberAxis(numbers, { ticksAt: 'values' }) : choiceAxis(spelled);
    return [
      {
        title: name,
        ticks: axis.ticks,
        heightOf: ({ params }: PlottedPoint) => axis.heightOf(params[name]),
      },
    ];
  });
}

function scoreAxes(points: readonly PlottedPoint[], names: readonly string[]): readonly Axis[] {
  return names.flatMap((name) => {
    const scores = points.flatMap((point) => scoreOf(point, name) ?? []);
    const [first] = scores;
    if (first === undefined) return [];
    const isReversed = !first.higher_is_better;
    const axis = numberAxis(
      scores.map(({ value }) => value),
      { ticksAt: 'ends', isReversed },
    );
    return [
      {
        title: name,
        ...(isReversed ? { note: ['(lower is', 'better)'] } : {}),
        ticks: axis.ticks,
        heightOf: (point: PlottedPoint) => axis.heightOf(scoreOf(point, name)?.value),
      },
    ];
  });
}

const scoreOf = ({ scores }: PlottedPoint, wanted: string) =>
  scores.find(({ name, value }) => name === wanted && Number.isFinite(value));

interface ValueAxis extends Pick<Axis, 'ticks'> {
  readonly heightOf: (value: Json | undefined) => number | undefined;
}

/** Params are often tried in powers: from this ratio on the axis is logarithmic. */
const LOG_RATIO = 20;
const MOST_TICKS = 8;

function numberAxis(
  values: readonly number[],
  { ticksAt, isReversed = false }: { readonly ticksAt: 'values' | 'ends'; readonly isReversed?: boolean },
): ValueAxis {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const [low = 0, high = low] = [distinct[0], distinct.at(-1)];
  const isLog = ticksAt === 'values' && low > 0 && high / low >= LOG_RATIO;
  const scaled = isLog ? Math.log : (value: number) => value;
  const span = scaled(high) - scaled(low);
  const heightOf = (value: Json | undefined): number | undefined => {
    if (typeof value !== 'number') return undefined;
    const height = span === 0 ? 0.5 : (scaled(value) - scaled(low)) / span;
    return isReversed ? 1 - height : height;
  };
  const middle = isLog ? Math.sqrt(low * high) : (low + high) / 2;
  const shown =
    ticksAt === 'values' && distinct.length <= MOST_TICKS ? distinct : [...new Set([low, middle, high])];
  const ticks = shown.map((value) => ({ height: heightOf(value) ?? 0, label: figure(value) }));
  return { heightOf, ticks: apart(ticks) };
}

/** Labels nearer than this share of the axis would overlap. */
const LEAST_GAP = 0.06;

function apart(ticks: Axis['ticks']): Axis['ticks'] {
  const kept: { readonly height: number; readonly label: string }[] = [];
  for (const tick of ticks)
    if (kept.every(({ height }) => Math.abs(height - tick.height) >= LEAST_GAP)) kept.push(tick);
  return kept;
}

/** An axis of texts and other values that have no order, from the first at the top down. */
function choiceAxis(spelled: readonly (string | undefined)[]): ValueAxis {
  const last = Math.max(spelled.length - 1, 1);
  const heightOf = (value: Json | undefined): number => 1 - spelled.indexOf(JSON.stringify(value)) / last;
  return {
    heightOf,
    ticks: spelled.map((text, index) => ({ height: 1 - index / last, label: shortened(text ?? 'not set') })),
  };
}

const MOST_CHARACTERS = 18;

function shortened(spelled: string): string {
  const text = /^"[^"\\]*"$/.test(spelled) ? spelled.slice(1, -1) : spelled;
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`;
}

function bestOf(points: readonly PlottedPoint[], name: string | undefined): PlottedPoint | undefined {
  if (name === undefined) return undefined;
  const scored = points.flatMap((point) => {
    const score = scoreOf(point, name);
    return score === undefined ? [] : [{ point, gain: score.higher_is_better ? score.value : -score.value }];
  });
  return scored.reduce((best, next) => (next.gain > best.gain ? next : best)).point;
}

function describe(
  points: readonly PlottedPoint[],
  {
    axes,
    best,
    score: name,
  }: {
    readonly axes: readonly Axis[];
    readonly best: PlottedPoint | undefined;
    readonly score: string | undefined;
  },
): string {
  const count = `${points.length} ${points.length === 1 ? 'point' : 'points'}`;
  const over = `${count} over ${axes.map(({ title }) => title).join(', ') || 'nothing'}.`;
  const value = best && name !== undefined ? scoreOf(best, name)?.value : undefined;
  return best && value !== undefined ? `${over} Best by ${name}: ${best.name} with ${figure(value)}.` : over;
}
