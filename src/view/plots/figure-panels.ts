import { type CurvePoint, type Curves, isLoss, type NamedCurves } from '../curves.ts';
import { colorOf, legendColumns, seriesColors } from './plot-style.ts';
import { stepAxis } from './step-marks.ts';

interface Panel {
  readonly title: string;
  readonly points: (curves: Curves) => readonly CurvePoint[];
  readonly labelExpr: string;
}

/** What the answers of models scored, each metric on its own scale. */
export function measurePanels(curves: readonly NamedCurves[], width: number): readonly object[] {
  const names = new Set(curves.flatMap(({ measures = {} }) => Object.keys(measures)));
  const panels = [...names].filter((name) => !isLoss(name));
  return panelsOf(
    panels.map((name) => ({
      ...{ title: name, labelExpr: 'datum.label' },
      points: ({ measures = {} }) => measures[name] ?? [],
    })),
    { curves, width },
  );
}

/** The learning rate and the gradient norm. */
export const detailPanels = (curves: readonly NamedCurves[], width: number): readonly object[] =>
  panelsOf(
    [
      { title: 'learning rate', points: (each) => each.learning_rate, labelExpr: SMALL },
      { title: 'gradient norm', points: (each) => each.gradient_norm, labelExpr: 'datum.label' },
    ],
    { curves, width },
  );

function panelsOf(
  measures: readonly Panel[],
  { curves, width }: { readonly curves: readonly NamedCurves[]; readonly width: number },
): readonly object[] {
  const isSingle = curves.length === 1;
  return measures.map(({ title, points, labelExpr }) => ({
    width,
    height: 80,
    data: {
      values: curves.flatMap((each) => thinned(points(each)).map((point) => ({ ...point, name: each.name }))),
    },
    mark: { type: 'line', strokeWidth: 1.25, ...(isSingle ? { color: colorOf('muted') } : {}) },
    encoding: {
      x: stepAxis(width),
      y: { field: 'value', type: 'quantitative', title, axis: { tickCount: 3, labelExpr, ...aboveAxis } },
      ...(isSingle ? {} : { color: { ...seriesColor(curves, width), legend: null } }),
    },
  }));
}

/** Beside such a low panel, a long name would need more room than the panel. */
const aboveAxis = { titleAngle: 0, titleAlign: 'left', titleX: 0, titleY: -10 };

/** A color for each training. */
export const seriesColor = (curves: readonly NamedCurves[], width: number) => ({
  field: 'name',
  type: 'nominal',
  scale: {
    domain: curves.map(({ name }) => name),
    range: curves.map((_, index) => seriesColors[index % seriesColors.length]),
  },
  legend: {
    columns: legendColumns(
      curves.map(({ name }) => name),
      width,
    ),
  },
});

/** Learning rates as `4e-5`. */
const SMALL = "datum.value === 0 ? '0' : format(datum.value, '~e')";

const MOST_POINTS = 1200;

/** At most 1,200 of the points: the lowest and the highest of each stretch, so that no spike is lost. */
export function thinned(points: readonly CurvePoint[]): readonly CurvePoint[] {
  if (points.length <= MOST_POINTS) return points;
  const stretch = Math.ceil((2 * points.length) / MOST_POINTS);
  const kept: CurvePoint[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch);
    const low = part.reduce((least, next) => (next.value < least.value ? next : least));
    const high = part.reduce((most, next) => (next.value > most.value ? next : most));
    kept.push(...(low === high ? [low] : low.step < high.step ? [low, high] : [high, low]));
  }
  return kept;
}
