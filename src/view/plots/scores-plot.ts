import { colorOf, figure, legendColumns, type PlotSpec, plotBase, seriesColors } from './plot-style.ts';

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
 * panel with a scale of its own. Of more series than there are colors, each metric has a panel with a row for each series.
 * An interval is the score's own, or 1.96 standard errors to each side.
 */
export function scoresPlot(
  scores: readonly PlottedScore[],
  { width = 640 }: { readonly width?: number } = {},
): PlotSpec {
  const rows = scores.filter(({ value }) => Number.isFinite(value)).map(rowOf);
  const series = [...new Set(rows.map((row) => row.series))];
  const isCrowded = series.length > seriesColors.length;
  const panels = isCrowded ? crowdedPanels(rows) : coloredPanels(rows);
  return {
    ...plotBase,
    title: 'Scores',
    description: describe(rows),
    spacing: 16,
    vconcat: panels.map((panel) => drawPanel(panel, { series: isCrowded ? [] : series, width })),
  } as PlotSpec; // `layer` holds layers of several forms, which Vega-Lite's types do not join
}

interface Panel {
  readonly rows: readonly Row[];
  /** The metric, where the rows do not name it. */
  readonly title?: string;
}

const metricsIn = (rows: readonly Row[]): readonly string[] => [...new Set(rows.map(({ metric }) => metric))];

const areShares = (rows: readonly Row[]): boolean => rows.every(({ low, high }) => low >= 0 && high <= 1);

/** A row for each metric, with the series beside each other in it. */
function coloredPanels(rows: readonly Row[]): readonly Panel[] {
  const groups = metricsIn(rows).map((name) => rows.filter(({ metric }) => metric === name));
  const shares = groups.filter(areShares).flat();
  const others = groups.filter((group) => !areShares(group)).map((group) => ({ rows: group }));
  return [...(shares.length === 0 ? [] : [{ rows: shares }]), ...others];
}

/** A row for each series in the panel of each metric. */
const crowdedPanels = (rows: readonly Row[]): readonly Panel[] =>
  metricsIn(rows).map((name) => ({
    title: name,
    rows: rows
      .filter(({ metric }) => metric === name)
      .map((row) => ({ ...row, label: row.of === undefined ? row.series : `${row.series} ${row.of}` })),
  }));

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

function drawPanel(
  { rows, title }: Panel,
  { series, width }: { readonly series: readonly string[]; readonly width: number },
): object {
  const labels = [...new Set(rows.map(({ label }) => label))];
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: seriesColors.slice(0, series.length) },
    legend: series.length > 1 ? { columns: legendColumns(series, width) } : null,
  };
  const y = {
    field: 'label',
    type: 'nominal',
    title: null,
    scale: { domain: labels },
    axis: {
      labelLimit: 0,
      labelColor: colorOf('text'),
      domain: false,
      ticks: false,
      labelPadding: 10,
      grid: true,
    },
  };
  const yOffset = { field: 'series', type: 'nominal', scale: { domain: series, paddingOuter: 0.5 } };
  const bySeries = series.length === 0 ? {} : { yOffset, color };
  const note = rows.some(({ higher_is_better }) => higher_is_better) ? [] : ['lower is better'];
  const x = {
    field: 'value',
    type: 'quantitative',
    title: [...(title === undefined ? [] : [title]), ...note].join(', ') || null,
    scale: areShares(rows) ? { domain: [0, 1] } : { zero: false, padding: 12 },
    axis: { tickCount: 6 },
  };
  return {
    width,
    height: { step: Math.max(ROW_HEIGHT, 14 * series.length + 8), for: 'position' },
    data: { values: rows },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, color: colorOf('train') },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, ...bySeries },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1, color: colorOf('train') },
        encoding: { x, y, ...bySeries },
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
