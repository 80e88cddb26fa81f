import type { TopLevelSpec } from 'vega-lite';

/** A Vega-Lite specification: its colors are those of light mode, and it refers to nothing outside itself. */
export type PlotSpec = TopLevelSpec & { readonly title: string; readonly description: string };

interface PlotColor {
  readonly light: string;
  readonly dark: string;
}

/**
 * Role -> its color on a light and on a dark page, at a contrast of at least 4.5:1 with `page`, except for the grid. No light
 * color occurs twice: renderSvg finds a role by it.
 */
export const plotColors = {
  page: { light: '#ffffff', dark: '#0d1117' },
  text: { light: '#1f2328', dark: '#e6edf3' },
  muted: { light: '#59636e', dark: '#9198a1' },
  grid: { light: '#d8dee4', dark: '#30363d' },
  train: { light: '#0969da', dark: '#58a6ff' },
  validation: { light: '#bc4c00', dark: '#f0883e' },
  kept: { light: '#1a7f37', dark: '#3fb950' },
  overfitting: { light: '#cf222e', dark: '#ff7b72' },
  third: { light: '#8250df', dark: '#bc8cff' },
  fourth: { light: '#9a6700', dark: '#d29922' },
  fifth: { light: '#0f7b80', dark: '#39c5cf' },
  sixth: { light: '#bf3989', dark: '#f778ba' },
} satisfies Readonly<Record<string, PlotColor>>;

type Role = keyof typeof plotColors;

/** The light color of a role, which specifications use. */
export const colorOf = (role: Role): string => plotColors[role].light;

/** Colors of runs or stages beside each other, to be used in this order and then again from the start. */
export const seriesColors: readonly string[] = (
  ['train', 'validation', 'kept', 'third', 'fourth', 'fifth', 'sixth'] as const
).map(colorOf);

/** The parts that all plots share. */
export const plotBase = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'transparent',
  padding: 8,
  config: {
    font: 'system-ui, sans-serif',
    // The whole picture has a title and a description; a label for each of thousands of marks helps nobody.
    aria: false,
    view: { stroke: null },
    title: { color: colorOf('text'), fontSize: 15, fontWeight: 600, anchor: 'start', offset: 12 },
    text: { color: colorOf('text'), fontSize: 12 },
    axis: {
      labelColor: colorOf('muted'),
      titleColor: colorOf('text'),
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      gridColor: colorOf('grid'),
      domainColor: colorOf('muted'),
      tickColor: colorOf('muted'),
      labelOverlap: 'greedy',
    },
    legend: {
      orient: 'top',
      direction: 'horizontal',
      title: null,
      labelColor: colorOf('text'),
      labelFontSize: 12,
      labelLimit: 0,
      symbolStrokeWidth: 2,
    },
  },
} as const satisfies Partial<TopLevelSpec>;

/** A value in a label or a sentence: `0.9731`, `12.35`, `5e-5`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'undefined';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return Number(value.toPrecision(3)).toExponential().replace('e+', 'e');
  return String(Number(value.toPrecision(4)));
}

/** How many columns a legend of these names takes. Vega estimates widths of texts generously, and lays out by that. */
export function legendColumns(names: readonly string[], width: number): number {
  const longest = Math.max(1, ...names.map((name) => name.length));
  return Math.max(1, Math.floor(width / (9.6 * longest + 30)));
}

/** About the width of a text in pixels, at the size that plots use. */
export const widthOfText = (text: string): number => 6.8 * text.length;
