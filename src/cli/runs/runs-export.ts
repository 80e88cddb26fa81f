import { stringify } from 'csv-stringify/sync';
import type { RunRecord } from '../../runtime/index.ts';
import { bestValue, type Experiment, type ExperimentColumn, experimentsTable } from '../../view/index.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { cellText, shortRun } from './runs-table.ts';

/** The records of the runs, what distinguishes their experiments, and every experiment. */
export const runsJson = ({
  records,
  experiments,
}: {
  readonly records: readonly RunRecord[];
  readonly experiments: readonly Experiment[];
}): string =>
  JSON.stringify({
    runs: records,
    columns: experimentsTable(experiments).columns.map(({ kind, name, fullName, higherIsBetter }) => ({
      kind,
      name,
      full_name: fullName,
      ...(higherIsBetter === undefined ? {} : { higher_is_better: higherIsBetter }),
    })),
    experiments,
  });

/** One line an experiment, with full figures; a score has a second column for its standard error if it has one. */
export function runsCsv(experiments: readonly Experiment[]): string {
  const { columns } = experimentsTable(experiments);
  const rows = experiments.map((experiment, row) => {
    const {
      run,
      point = '',
      pipeline,
      file,
      started_at,
      state,
      milliseconds,
      ran,
      reused,
      failed,
    } = experiment;
    const seconds = milliseconds === undefined ? '' : milliseconds / 1000;
    const own = {
      run,
      point,
      pipeline,
      file,
      started: started_at,
      state,
      duration: seconds,
      ran,
      reused,
      failed,
    };
    return Object.assign(own, ...columns.map((column) => cellsOf(column, row)));
  });
  const names = [...new Set(rows.flatMap((each) => Object.keys(each)))];
  return stringify(rows, { header: true, columns: names });
}

function cellsOf({ name, cells }: ExperimentColumn, row: number): Readonly<Record<string, string | number>> {
  const cell = cells[row];
  const value = cell?.value;
  const text = typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value ?? '');
  const hasError = cells.some((each) => each?.standard_error !== undefined);
  return {
    [name]: value === undefined || value === null ? '' : text,
    ...(hasError ? { [`${name} standard error`]: cell?.standard_error ?? '' } : {}),
  };
}

/** A table for each pipeline; the best of each score is bold. */
export function runsMarkdown(experiments: readonly Experiment[]): string {
  const groups = new Map<string, Experiment[]>();
  for (const each of experiments) groups.set(each.pipeline, [...(groups.get(each.pipeline) ?? []), each]);
  const tables = [...groups].map(([pipeline, group]) => {
    const { columns } = experimentsTable(group);
    const head = ['run', 'started', ...columns.map(({ name }) => name), 'time', 'state'];
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rules = head.map((_, at) => (isRight(columns[at - 2]) ? '---:' : '---'));
    const rows = group.map(({ run, started_at, milliseconds, state }, row) => [
      shortRun(run),
      escaped(started_at.slice(0, 16).replace('T', ' ')),
      ...columns.map((column) => markdownCell(column, row)),
      milliseconds === undefined ? '' : formatDuration(milliseconds),
      state,
    ]);
    const title = groups.size > 1 ? [`**${escaped(pipeline)}**`, ''] : [];
    return [...title, line(head.map(escaped)), line(rules), ...rows.map(line)].join('\n');
  });
  return `${tables.join('\n\n')}\n`;
}

const isRight = (column: ExperimentColumn | undefined): boolean =>
  column?.cells.every((cell) => cell === undefined || typeof cell.value === 'number') ?? false;

function markdownCell(column: ExperimentColumn, row: number): string {
  const cell = column.cells[row];
  const text = escaped(cellText(cell, column.higherIsBetter !== undefined));
  return cell !== undefined && cell.value === bestValue(column) ? `**${text}**` : text;
}

/** Text that is no markup, on one line. */
const escaped = (text: string): string =>
  safeLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|~]/g, '\\$&');
