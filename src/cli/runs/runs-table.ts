import { numberIn } from '../../core/index.ts';
import {
  bestValue,
  type Experiment,
  type ExperimentCell,
  type ExperimentColumn,
  experimentsTable,
} from '../../view/index.ts';
import {
  errorText,
  formatCount,
  formatDuration,
  formatFigure,
  shortDigests,
} from '../terminal/format-number.ts';
import { excerpt } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { fitTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';

/** A table for each pipeline, and how many experiments there are in all. */
export function runsText(
  experiments: readonly Experiment[],
  { terminal, total }: { readonly terminal: Terminal; readonly total: number },
): string {
  const groups = new Map<string, Experiment[]>();
  for (const each of experiments) {
    const name = JSON.stringify([each.pipeline, each.file]);
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  const tables = [...groups.values()].map((group) => pipelineText(group, terminal));
  const rest = total - experiments.length;
  const note = rest === 0 ? [] : [`${experiments.length} of ${formatCount(total)}; -n lists more`];
  return [...tables, ...note].join('\n\n');
}

function pipelineText(experiments: readonly Experiment[], terminal: Terminal): string {
  const { bold, dim } = terminal.colors;
  const [{ pipeline, file } = { pipeline: '', file: '' }] = experiments;
  const settings = experimentsTable(experiments).columns;
  const columns = [
    runColumn(experiments),
    startColumn(experiments),
    ...settings.map((column, at) => settingColumn(column, importanceOf(at, settings), terminal)),
    ...endColumns(experiments, terminal),
  ];
  const { text, left } = fitTable({
    head: columns.map(({ head }) => head),
    rows: experiments.map((_, row) => columns.map(({ cells }) => cells[row] ?? '')),
    align: columns.map(({ align }) => align),
    importance: columns.map(({ importance }) => importance),
    fold: columns.map(({ fold }) => fold),
    columns: terminal.width,
  });
  const names = left.map((at) => columns[at]?.name ?? '');
  const note = `not shown for lack of room: ${names.join(', ')}; --csv has all`;
  return [
    `${bold(safeLine(pipeline))}  ${dim(safeLine(file))}`,
    text,
    ...(names.length === 0 ? [] : [dim(wrapText(note, { columns: terminal.columns, indent: '  ' }))]),
  ].join('\n');
}

/** A column of the table, ready to be drawn. */
interface DrawnColumn {
  readonly name: string;
  /** With the stage on a line above the rest. */
  readonly head: string;
  readonly cells: readonly string[];
  readonly align: 'left' | 'right';
  /** The least important is left out first; without a number, never. */
  readonly importance: number | undefined;
  readonly fold: 'cut' | undefined;
}

const drawn = (column: Pick<DrawnColumn, 'name' | 'cells'> & Partial<DrawnColumn>): DrawnColumn => ({
  head: column.name,
  align: 'left',
  importance: undefined,
  fold: undefined,
  ...column,
});

const runColumn = (experiments: readonly Experiment[]): DrawnColumn =>
  drawn({ name: 'run', cells: experiments.map(({ run }) => shortRun(run)) });

/** The last digits of an id, by which every command finds its run. */
export const shortRun = (run: string): string => /-([0-9a-f]{6})$/.exec(run)?.[1] ?? safeLine(run);

const startColumn = (experiments: readonly Experiment[]): DrawnColumn =>
  drawn({
    name: 'started',
    cells: experiments.map(({ started_at }) => localTime(new Date(started_at))),
    importance: 30,
  });

/** `11-30 06:57` of this year, else `2025-11-30`; in the machine's time zone. */
function localTime(time: Date): string {
  if (Number.isNaN(time.getTime())) return '';
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return time.getFullYear() === new Date().getFullYear()
    ? `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
    : `${time.getFullYear()}-${day}`;
}

const IMPORTANCE = { score: 90, param: 80, loss: 50, field: 70 } as const;
/** Of a figure that is the same for all, unless the last evaluation measured it. */
const SAME = 20;

/** A later evaluation matters more than an earlier one, often that of the base model; otherwise the first of a kind matters most. */
function importanceOf(at: number, columns: readonly ExperimentColumn[]): number {
  const column = columns[at];
  if (column === undefined) return 0;
  const { kind } = column;
  const stages = [...new Set(columns.filter((each) => each.kind === 'score').map(stageOf))];
  const rank = kind === 'score' ? stages.indexOf(stageOf(column)) : 0;
  const isLast = kind === 'score' && rank === stages.length - 1;
  const isFigure = kind === 'loss' || kind === 'score';
  const isSame = isFigure && !isLast && bestValue(column) === undefined;
  return (isSame ? SAME : IMPORTANCE[kind]) + rank / 1000 - at / 1_000_000;
}

const stageOf = ({ fullName }: ExperimentColumn): string => fullName.slice(0, fullName.indexOf('.'));

function settingColumn(column: ExperimentColumn, importance: number, { colors }: Terminal): DrawnColumn {
  const { kind, name, cells } = column;
  const isFigure = kind === 'loss' || kind === 'score';
  const best = bestValue(column);
  const texts = cells.map((cell) => {
    const text = cellText(cell, isFigure);
    return best !== undefined && cell?.value === best ? colors.green(text) : text;
  });
  const isNumeric = cells.every((cell) => cell === undefined || numberIn(cell.value) !== undefined);
  return drawn({
    name: safeLine(name),
    head: headOf(column),
    cells: texts,
    align: isNumeric ? 'right' : 'left',
    importance,
    fold: isNumeric ? undefined : 'cut',
  });
}

/** The stage on a first line, and of a long path of fields its end: `train.optimizer.learning_rate` is read by its last name. */
function headOf({ kind, name }: ExperimentColumn): string {
  const dot = kind === 'param' ? -1 : name.indexOf('.');
  if (kind === 'loss' && dot < 0) return safeLine(name).replace('_', '\n');
  if (dot < 0) return safeLine(name);
  const [stage, field] = [name.slice(0, dot), name.slice(dot + 1)];
  return `${safeLine(stage)}\n${safeLine(kind === 'field' ? field.slice(field.lastIndexOf('.') + 1) : field)}`;
}

/** A figure with its error, or the value of a param. */
export function cellText(cell: ExperimentCell | undefined, isFigure: boolean): string {
  if (cell === undefined) return '';
  const { value, standard_error, interval } = cell;
  if (isFigure) {
    // JSON has null for a figure that is not defined.
    if (typeof value !== 'number') return 'undefined';
    if (interval)
      return `${formatFigure(value)} [${formatFigure(interval.low)}, ${formatFigure(interval.high)}]`;
    return `${formatFigure(value)}${errorText(value, standard_error)}`;
  }
  return excerpt(shortDigests(safeLine(typeof value === 'string' ? value : JSON.stringify(value))), 40);
}

function endColumns(experiments: readonly Experiment[], { colors }: Terminal): readonly DrawnColumn[] {
  const { green, red, yellow } = colors;
  const paint = { succeeded: green, failed: red, killed: red, interrupted: yellow, running: yellow };
  return [
    drawn({
      name: 'ran',
      cells: experiments.map(({ ran }) => formatCount(ran)),
      align: 'right',
      importance: 10,
    }),
    drawn({
      name: 'reused',
      cells: experiments.map(({ reused }) => formatCount(reused)),
      align: 'right',
      importance: 11,
    }),
    drawn({
      name: 'time',
      cells: experiments.map(({ milliseconds }) =>
        milliseconds === undefined ? '' : formatDuration(milliseconds),
      ),
      align: 'right',
      importance: 60,
    }),
    drawn({ name: 'state', cells: experiments.map(({ state }) => paint[state](state)) }),
  ];
}
