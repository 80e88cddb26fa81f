import { colorOf, figure, type PlotSpec, plotBase, seriesColors } from './plot-style.ts';

/** A score as a point with an interval. */
export interface PlottedScore {
  /** What is compared: a run, a stage, or both. */
  readonly series: string;
  readonly metric: string;
  /** What the figure is about, where a metric has several: a subject, a judge. */
  readonly of?: string;
  readonly value: number;
  readonly higher_is_better: boolean;
  readonly standard_error?: number;
  /** Holds 95 %. */
  readonly interval?: { readonly low: number; readonly high: number };
}

/**
 * Scores as points with their 95 % intervals: the metrics that are shares in one panel from 0 to 1, each other metric in a
 * panel with a scale of its own. An interval is the score's own, or 1.96 standard errors to each side.
 */
export function scoresPlot(
  scores: readonly PlottedScore[],
  { width = 640 }: { readonly width?: number } = {},
): PlotSpec {
  const rows = scores.filter(({ value }) => Number.isFinite(value)).map(rowOf);
  const series = [...new Set(rows.map((row) => row.series))];
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const areShares = (metric: string): boolean =>
    rows.every((row) => row.metric !== metric || (row.low >= 0 && row.high <= 1));
  const shares = metrics.filter(areShares);
  const panels = [
    ...(shares.length === 0 ? [] : [{ metrics: shares, domain: [0, 1] }]),
    ...metrics.filter((metric) => !areShares(metric)).map((metric) => ({ metrics: [metric] })),
  ];
  return {
    ...plotBase,
    title: 'Scores',
    description: describe(rows),
    spacing: 16,
    vconcat: panels.map((panel) => panelOf(rows, { ...panel, series, width })),
  } as PlotSpec; // `layer` holds layers of several forms, which Vega-Lite's types do not join
}

interface Row extends PlottedScore {
  readonly label: string;
  readonly low: number;
  readonly high: number;
}

function rowOf(score: PlottedScore): Row {
  const { metric, of, value, standard_error = 0, interval } = score;
  const isShare = value >= 0 && value <= 1;
  const reach = 1.96 * standard_error;
  // A normal approximation near 0 or 1 reaches beyond what a share can be.
  const around = isShare
    ? { low: Math.max(0, value - reach), high: Math.min(1, value + reach) }
    : { low: value - reach, high: value + reach };
  return { ...score, ...(interval ?? around), label: of === undefined ? metric : `${metric} ${of}` };
}

const ROW_HEIGHT = 22;

function panelOf(
  rows: readonly Row[],
  {
    metrics,
    domain,
    series,
    width,
  }: {
    readonly metrics: readonly string[];
    readonly domain?: readonly number[];
    readonly series: readonly string[];
    readonly width: number;
  },
): object {
  const own = rows.filter(({ metric }) => metrics.includes(metric));
  const labels = [...new Set(own.map(({ label }) => label))];
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: series.map((_, index) => seriesColors[index % seriesColors.length]) },
    legend: series.length > 1 ? { columns: 2 } : null,
  };
  const y = {
    field: 'label',
    type: 'nominal',
    title: null,
    scale: { domain: labels },
    axis: {
      labelLimit: 240,
      labelColor: colorOf('text'),
      domain: false,
      ticks: false,
      labelPadding: 10,
      grid: true,
    },
  };
  const yOffset = { field: 'series', type: 'nominal', scale: { domain: series, paddingOuter: 0.5 } };
  const lower = own.every(({ higher_is_better }) => !higher_is_better);
  const x = {
    field: 'value',
    type: 'quantitative',
    title: lower ? 'lower is better' : null,
    scale: domain === undefined ? { zero: false, padding: 12 } : { domain },
    axis: { tickCount: 6 },
  };
  return {
    width,
    height: { step: Math.max(ROW_HEIGHT, 14 * series.length + 8), for: 'position' },
    data: { values: own },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, yOffset, color },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { x, y, yOffset, color },
      },
    ],
  };
}

const MOST_DESCRIBED = 12;

function describe(rows: readonly Row[]): string {
  if (rows.length === 0) return 'No scores.';
  const words = rows
    .slice(0, MOST_DESCRIBED)
    .map(({ series, label, value, low, high }) =>
      low === high
        ? `${series}, ${label}: ${figure(value)}`
        : `${series}, ${label}: ${figure(value)} (95 % from ${figure(low)} to ${figure(high)})`,
    );
  const rest = rows.length - words.length;
  return `${words.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.`;
}
