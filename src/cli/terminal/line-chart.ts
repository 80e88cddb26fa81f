import stringWidth from 'string-width';
import { formatCount, formatFigure } from './format-number.ts';

/** A line of the chart; `y` is measured at `x`. */
export interface ChartLine {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly color: (text: string) => string;
}

interface ChartOptions {
  readonly columns: number;
  readonly rows?: number;
  readonly indent?: string;
  /** What `x` counts: `step`. */
  readonly unit: string;
  /** A place below the axis that is pointed at. */
  readonly mark?: { readonly x: number; readonly label: string };
}

/**
 * Lines in braille dots, each with its label and its last value at its end, which tells them apart without color too. The
 * scale is linear, from the lowest to the highest value.
 */
export function lineChart(
  lines: readonly ChartLine[],
  { columns, rows = 6, indent = '  ', unit, mark }: ChartOptions,
): string {
  const all = lines.flatMap(({ points }) => points).filter(({ y }) => Number.isFinite(y));
  const [left, right] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const [low, high] = [Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y))];
  if (all.length === 0 || left === right) return '';
  const ends = placeLabels(lines, { low, high, rows });
  const scale = [formatFigure(high), formatFigure(low)];
  const before = Math.max(...scale.map((text) => text.length));
  const after = Math.max(0, ...[...ends.values()].map(({ text }) => stringWidth(text)));
  const width = Math.min(MOST_COLUMNS, columns - indent.length - before - after - 3);
  if (width < LEAST_COLUMNS) return '';
  const grid = new BrailleGrid({ width, rows });
  for (const [index, { points }] of lines.entries()) {
    const dots = points.map(({ x, y }) => ({
      x: Math.round(((x - left) / (right - left)) * (width * 2 - 1)),
      y: Math.round((high === low ? 0.5 : (high - y) / (high - low)) * (rows * 4 - 1)),
    }));
    for (const [at, dot] of dots.entries()) grid.line(dots[at - 1] ?? dot, dot, index);
  }
  const drawn = Array.from({ length: rows }, (_, row) => {
    const axis = row === 0 ? (scale[0] ?? '') : row === rows - 1 ? (scale[1] ?? '') : '';
    const end = ends.get(row);
    const cells = grid.row(row, (cell, owner) => lines[owner]?.color(cell) ?? cell);
    const label = end === undefined ? '' : ` ${lines[end.line]?.color(end.text) ?? ''}`;
    return `${indent}${axis.padStart(before)} ${cells}${label}`.trimEnd();
  });
  const at = indent.length + before + 1;
  return [
    ...drawn,
    `${' '.repeat(at)}${axisText({ left, right, width, unit })}`,
    ...(mark === undefined ? [] : [markText(mark, { left, right, width, at, columns })]),
  ].join('\n');
}

const MOST_COLUMNS = 72;
const LEAST_COLUMNS = 16;

/** Row -> the label of the line that ends there; of two that end in one row, the second goes to the nearest free row. */
function placeLabels(
  lines: readonly ChartLine[],
  { low, high, rows }: { low: number; high: number; rows: number },
): ReadonlyMap<number, { readonly line: number; readonly text: string }> {
  const places = new Map<number, { readonly line: number; readonly text: string }>();
  for (const [line, { label, points }] of lines.entries()) {
    const last = points.at(-1);
    if (last === undefined) continue;
    const share = high === low ? 0.5 : (high - last.y) / (high - low);
    const wanted = Math.min(rows - 1, Math.floor(share * rows));
    const [row] = Array.from({ length: rows }, (_, each) => each)
      .filter((each) => !places.has(each))
      .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
    if (row !== undefined) places.set(row, { line, text: `${label} ${formatFigure(last.y)}` });
  }
  return places;
}

interface Axis {
  readonly left: number;
  readonly right: number;
  readonly width: number;
}

function axisText({ left, right, width, unit }: Axis & { readonly unit: string }): string {
  const [first, last] = [`${unit} ${formatCount(left)}`, formatCount(right)];
  return `${first}${' '.repeat(Math.max(1, width - first.length - last.length))}${last}`;
}

/** An arrow below its place, with its label on the side where there is room. */
function markText(
  { x, label }: NonNullable<ChartOptions['mark']>,
  { left, right, width, at, columns }: Axis & { readonly at: number; readonly columns: number },
): string {
  const place = at + Math.round(((x - left) / (right - left)) * (width - 1));
  return place + 2 + stringWidth(label) <= columns
    ? `${' '.repeat(place)}▲ ${label}`
    : `${' '.repeat(Math.max(0, place - stringWidth(label) - 1))}${label} ▲`;
}

/** The bits of a braille character's dots: two columns of four. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const BLANK = 0x2800;

/** Dots of two by four in each cell. A cell is in the color of the line that was drawn through it last. */
class BrailleGrid {
  readonly #width: number;
  readonly #cells: { bits: number; owner: number }[];

  constructor({ width, rows }: { readonly width: number; readonly rows: number }) {
    this.#width = width;
    this.#cells = Array.from({ length: width * rows }, () => ({ bits: 0, owner: -1 }));
  }

  /** Draws a straight line between two dots. */
  line(from: Dot, to: Dot, owner: number): void {
    const steps = Math.max(1, Math.abs(to.x - from.x), Math.abs(to.y - from.y));
    for (let step = 0; step <= steps; step++) {
      const x = Math.round(from.x + ((to.x - from.x) * step) / steps);
      const y = Math.round(from.y + ((to.y - from.y) * step) / steps);
      const cell = this.#cells[Math.floor(y / 4) * this.#width + Math.floor(x / 2)];
      if (cell === undefined) continue;
      cell.bits |= DOTS[y % 4]?.[x % 2] ?? 0;
      cell.owner = owner;
    }
  }

  /** The characters of a row, colored by their lines. */
  row(row: number, color: (text: string, owner: number) => string): string {
    const runs: { text: string; owner: number }[] = [];
    for (const { bits, owner } of this.#cells.slice(row * this.#width, (row + 1) * this.#width)) {
      const text = bits === 0 ? ' ' : String.fromCodePoint(BLANK + bits);
      const last = runs.at(-1);
      if (last?.owner === owner) last.text += text;
      else runs.push({ text, owner });
    }
    return runs.map(({ text, owner }) => (owner < 0 ? text : color(text, owner))).join('');
  }
}

interface Dot {
  readonly x: number;
  readonly y: number;
}
