import { useState } from 'preact/hooks';
import { formatFigure } from '../../core/index.ts';
import type { PipelineSummary, RunRow, RunTable } from '../../server/index.ts';
import { Note } from '../components/layout.tsx';
import { Table, type TableColumn } from '../components/table.tsx';
import { useData, useInterval, useKept } from './hooks.ts';
import { Choice, Duration, Labeled, PageHead, Problem, StateBadge, Time } from './parts.tsx';
import { linkTo } from './route.ts';
import { StartRun } from './start-run.tsx';

export interface ProjectInfo {
  readonly folder: string;
  readonly person: string;
  readonly pipelines: readonly PipelineSummary[];
}

/** A row with its place in the cells of the columns. */
interface IndexedRow extends RunRow {
  readonly index: number;
}

const idOf = ({ run, point }: RunRow): string => (point === undefined ? run : `${run} ${point}`);

/** Runs as a table: sorted, filtered, pinned, compared, started. */
export function RunsPage() {
  const project = useData<ProjectInfo>('project');
  const [pipeline, setPipeline] = useKept('pipeline', '');
  const [filter, setFilter] = useState('');
  const [pinned, setPinned] = useKept<readonly string[]>('pinned', []);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [limit, setLimit] = useState(50);
  const table = useData<RunTable>('runs', { pipeline, limit });
  const isBusy = table.data?.rows.some(({ state }) => state === 'running') === true;
  useInterval(table.reload, isBusy ? 2000 : 10_000);
  const { rows = [], columns = [], total = 0 } = table.data ?? {};
  const indexed = rows.map((row, index): IndexedRow => ({ ...row, index }));
  const cellsOf = ({ index }: IndexedRow) => columns.map(({ cells }) => cells[index]?.value);
  const isShown = (row: IndexedRow): boolean =>
    pinned.includes(idOf(row)) ||
    [row.run, row.point, row.pipeline, row.state, ...cellsOf(row).map(String)].some((text) =>
      text?.toLowerCase().includes(filter.trim().toLowerCase()),
    );
  const shown = indexed.filter(isShown);
  const toggle = (list: readonly string[], id: string) =>
    list.includes(id) ? list.filter((one) => one !== id) : [...list, id];
  const pipelines = project.data?.pipelines ?? [];
  const compared = [...new Set(chosen)].filter((run) => rows.some((row) => row.run === run));
  return (
    <>
      <PageHead title="Runs">
        <p class="soft small">{project.data?.folder}</p>
      </PageHead>
      <Problem error={table.error ?? project.error} />
      <StartRun pipelines={pipelines} onStarted={table.reload} />
      <div class="tools">
        {pipelines.length > 1 && (
          <Choice
            label="Pipeline"
            value={pipeline}
            options={[
              { value: '', text: 'all' },
              ...pipelines.map(({ file }) => ({ value: file, text: file })),
            ]}
            onChange={setPipeline}
          />
        )}
        <Labeled label="Filter">
          <input
            class="field search"
            type="search"
            value={filter}
            placeholder="state, param, value"
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </Labeled>
        <a
          class={`button ${compared.length < 2 ? '' : 'primary'}`}
          aria-disabled={compared.length < 2}
          href={
            compared.length < 2 ? undefined : linkTo('compare', { runs: inOrder(compared, rows).join(',') })
          }
        >
          {compared.length < 2 ? 'Choose two or more runs to compare' : `Compare ${compared.length} runs`}
        </a>
      </div>
      {table.data !== undefined && rows.length === 0 && (
        <Note>No runs yet. Start one above, or with tuneloom run in a terminal.</Note>
      )}
      {rows.length > 0 && (
        <Table
          label="Runs"
          rows={shown}
          rowKey={idOf}
          rowClass={(row) => (pinned.includes(idOf(row)) ? 'pinned' : undefined)}
          isPinned={(row) => pinned.includes(idOf(row))}
          columns={[
            {
              title: 'Run',
              kind: 'nowrap',
              sortBy: ({ startedAt, index }) => `${startedAt} ${1e6 - index}`,
              first: 'descending',
              cell: (row) => (
                <span class="run-name">
                  <input
                    type="checkbox"
                    aria-label={`Compare ${row.run}`}
                    checked={chosen.includes(row.run)}
                    onChange={() => setChosen(toggle(chosen, row.run))}
                  />
                  <button
                    type="button"
                    class="pin"
                    aria-label={`Pin ${idOf(row)}`}
                    aria-pressed={pinned.includes(idOf(row))}
                    onClick={() => setPinned(toggle(pinned, idOf(row)))}
                  >
                    {pinned.includes(idOf(row)) ? '★' : '☆'}
                  </button>
                  <a href={linkTo('run', { run: row.run })}>
                    <Time iso={row.startedAt} />
                  </a>
                  {row.point && <span class="soft">{row.point}</span>}
                </span>
              ),
            },
            {
              title: 'State',
              sortBy: ({ state }) => state,
              cell: ({ state }) => <StateBadge state={state} />,
            },
            ...(new Set(rows.map((row) => row.pipeline)).size > 1
              ? [
                  {
                    title: 'Pipeline',
                    sortBy: (row: IndexedRow) => row.pipeline,
                    cell: (row: IndexedRow) => row.pipeline,
                  },
                ]
              : []),
            ...figureColumns(columns),
            {
              title: 'Time',
              kind: 'number',
              sortBy: ({ milliseconds }) => milliseconds,
              cell: ({ milliseconds }) => <Duration milliseconds={milliseconds} />,
            },
            {
              title: 'Ran / reused',
              kind: 'number',
              sortBy: ({ ran }) => ran,
              cell: ({ ran, reused }) => `${ran} / ${reused}`,
            },
          ]}
        />
      )}
      <div class="pager small soft">
        <span aria-live="polite">
          {shown.length === rows.length
            ? `${rows.length} rows`
            : `${shown.length} of ${rows.length} rows match`}
          {total > limit && `, of the latest ${limit} of ${total} runs`}
        </span>
        {total > limit && (
          <button type="button" class="button" onClick={() => setLimit(limit + 150)}>
            Show more
          </button>
        )}
      </div>
    </>
  );
}

/** The earliest first, so that a comparison says what came of the later ones. */
const inOrder = (runs: readonly string[], rows: readonly RunRow[]): readonly string[] =>
  [...new Set(rows.map(({ run }) => run))].filter((run) => runs.includes(run)).reverse();

/** A column for each param that differs and each figure; the best of a figure stands out. */
function figureColumns(columns: RunTable['columns']): readonly TableColumn<IndexedRow>[] {
  return columns.map(({ kind, name, fullName, higherIsBetter, cells }) => {
    const values = cells.flatMap((cell) => (typeof cell?.value === 'number' ? [cell.value] : []));
    const best = higherIsBetter === true ? Math.max(...values) : Math.min(...values);
    const hasBest = higherIsBetter !== undefined && new Set(values).size > 1;
    const isFigure = kind === 'loss' || kind === 'score';
    return {
      title: <span title={fullName}>{name}</span>,
      kind: cells.every((cell) => cell === undefined || cell === null || typeof cell.value === 'number')
        ? 'number'
        : 'text',
      first: higherIsBetter === true ? 'descending' : 'ascending',
      sortBy: ({ index }) => {
        const value = cells[index]?.value;
        return typeof value === 'number' || typeof value === 'string'
          ? value
          : value === undefined
            ? undefined
            : JSON.stringify(value);
      },
      cell: ({ index }) => {
        const cell = cells[index];
        if (cell === undefined || cell === null) return '';
        const { value, standard_error: error } = cell;
        if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
        return (
          <span class={hasBest && value === best ? 'best' : undefined}>
            {isFigure ? formatFigure(value) : String(value)}
            {isFigure && error ? <span class="range"> ± {error.toPrecision(2)}</span> : null}
          </span>
        );
      },
    };
  });
}
