import { type CurvePoint, type Curves, isLoss, type NamedCurves } from '../curves.ts';
import { detailPanels, measurePanels, seriesColor, thinned } from './figure-panels.ts';
import { colorOf, figure, type PlotSpec, plotBase, seriesColors } from './plot-style.ts';
import { keptMarks, overfittingMarks, stepAxis } from './step-marks.ts';

interface HistoryOptions {
  /** In pixels. */
  readonly width?: number;
  /** Adds the learning rate and the gradient norm below the losses. */
  readonly detail?: boolean;
}

/**
 * The losses of trainings over their steps. Of one training it marks the step that was kept and where overfitting begins,
 * and draws each step's loss too; several have a color each, and their validation losses are dashed.
 */
export function historyPlot(
  curves: readonly NamedCurves[],
  { width = 640, detail = false }: HistoryOptions = {},
): PlotSpec {
  const [only, ...others] = curves;
  const isSingle = others.length === 0;
  const size = { width, height: Math.round(Math.min(320, width * 0.6)) };
  const panels = [
    { ...size, layer: isSingle && only ? singleLayers(only, width) : comparedLayers(curves, width) },
    ...measurePanels(curves, width),
    ...(detail ? detailPanels(curves, width) : []),
  ];
  return {
    ...plotBase,
    title: only !== undefined && isSingle ? `Losses of ${only.name}` : 'Losses',
    description: curves.length === 0 ? 'No training.' : curves.map(describe).join(' '),
    vconcat: panels,
    resolve: { scale: { color: 'independent' } },
  } as PlotSpec; // `layer` holds layers of several forms, which Vega-Lite's types do not join
}

/**
 * The axis of the losses, with a logarithmic scale where they fall so far that a linear one would draw the end of a
 * training, where overfitting shows, as a flat line.
 */
function lossAxis(curves: readonly Curves[]): object {
  const values = curves.flatMap(({ train, validation }) =>
    [...train, ...validation].map(({ value }) => value),
  );
  const [low, high] = [lowest(values), -lowest(values.map((value) => -value))];
  const isLog = low > 0 && high / low > LARGEST_RATIO;
  const scale = isLog ? { type: 'log' } : { zero: false };
  const axis = isLog ? { values: powersOfTen(low, high), format: '~g' } : {};
  return { field: 'value', type: 'quantitative', title: isLog ? 'loss, logarithmic' : 'loss', scale, axis };
}

const LARGEST_RATIO = 20;

/** Grid lines at every digit would hide the curves. */
const powersOfTen = (low: number, high: number): readonly number[] => {
  const first = Math.floor(Math.log10(low));
  return Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, index) => 10 ** (first + index));
};

const lowest = (values: readonly number[]): number =>
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);

function singleLayers(curves: NamedCurves, width: number): readonly object[] {
  const loss = lossAxis([curves]);
  const x = stepAxis(width);
  const sets = [
    { set: 'training', points: curves.train, color: colorOf('train') },
    ...validationLines(curves),
  ].filter(({ points }) => points.length > 0);
  const color = {
    field: 'set',
    type: 'nominal',
    scale: { domain: sets.map(({ set }) => set), range: sets.map(({ color }) => color) },
  };
  const values = sets.flatMap(({ set, points }) => thinned(points).map((point) => ({ ...point, set })));
  return [
    ...overfittingMarks(curves),
    {
      data: { values: thinned(curves.loss) },
      mark: { type: 'line', color: colorOf('muted'), strokeWidth: 1, opacity: 0.45 },
      encoding: { x, y: loss },
    },
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 2, point: sets.every(({ points }) => points.length <= MOST_DOTS) },
      encoding: { x, y: loss, color },
    },
    ...keptMarks(curves, width),
  ];
}

/** The validation loss, or those of several sets. */
function validationLines({ validation, measures = {} }: Curves) {
  const names = Object.keys(measures).filter(isLoss);
  if (names.length === 0) return [{ set: 'validation', points: validation, color: colorOf('validation') }];
  return names.map((name, index) => ({
    set: name.replace('validation_loss/', 'validation '),
    points: measures[name] ?? [],
    color: seriesColors[1 + (index % (seriesColors.length - 1))] ?? colorOf('validation'),
  }));
}

const MOST_DOTS = 40;

function comparedLayers(curves: readonly NamedCurves[], width: number): readonly object[] {
  const loss = lossAxis(curves);
  const x = stepAxis(width);
  const values = curves.flatMap(({ name, train, validation }) => [
    ...thinned(train).map((point) => ({ ...point, name, set: 'training' })),
    ...thinned(validation).map((point) => ({ ...point, name, set: 'validation' })),
  ]);
  const sets = ['training', 'validation'].filter((set) => values.some((value) => value.set === set));
  const kept = curves.flatMap(({ name, kept_step, validation, train }) =>
    (validation.length > 0 ? validation : train)
      .filter(({ step }) => step === kept_step)
      .map((point) => ({ ...point, name })),
  );
  const color = seriesColor(curves, width);
  return [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 2 },
      encoding: {
        x,
        y: loss,
        color,
        strokeDash: {
          field: 'set',
          type: 'nominal',
          scale: {
            domain: sets,
            range: [
              [1, 0],
              [5, 3],
            ],
          },
        },
      },
    },
    {
      data: { values: kept },
      mark: { type: 'point', filled: true, size: 70, opacity: 1 },
      encoding: { x, y: loss, color },
    },
  ];
}

/** What the picture shows, in sentences. */
function describe(curves: NamedCurves): string {
  const { name, train, validation, best_step, best_by, kept_step, overfitting, measures = {} } = curves;
  const end = validation.at(-1);
  const best = best_by === undefined ? validation.find(({ step }) => step === best_step) : undefined;
  const scores = Object.entries(measures).filter(([measure]) => !isLoss(measure));
  return [
    `${name}: ${courseOf('training loss', train)}`,
    ...(best && end
      ? [`${courseOf('validation loss', validation)}, lowest at step ${best.step} with ${figure(best.value)}`]
      : []),
    ...scores.map(([measure, points]) => courseOf(measure, points)),
    ...(best_by === undefined ? [] : [`${best_by} is best at step ${best_step}`]),
    ...(overfitting ? [`overfitting begins at step ${overfitting.step}`] : []),
    ...(kept_step === undefined ? [] : [`the weights of step ${kept_step} were kept`]),
  ]
    .join('; ')
    .concat('.');
}

function courseOf(measure: string, points: readonly CurvePoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `no ${measure}`;
  return `${measure} from ${figure(first.value)} at step ${first.step} to ${figure(last.value)} at step ${last.step}`;
}
