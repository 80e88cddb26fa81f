import { formatFigure } from '../../core/index.ts';
import type { Drawing, RunTable } from '../../server/index.ts';
import type { RunDifference } from '../../view/index.ts';
import { Note, Section } from '../components/layout.tsx';
import { Plot } from '../components/plot.tsx';
import { Table } from '../components/table.tsx';
import { DataText } from '../components/text.tsx';
import { useData } from './hooks.ts';
import { PageHead, Problem, Time } from './parts.tsx';
import { linkTo } from './route.ts';

interface Comparison {
  /** Of two runs. */
  readonly difference?: RunDifference;
  readonly drawings: readonly Drawing[];
}

/** Runs beside each other: what differs, the scores, the losses, and of two runs the answers. */
export function ComparePage({ runs }: { readonly runs: string }) {
  const ids = runs.split(',').filter((id) => id !== '');
  const table = useData<RunTable>('runs');
  const comparison = useData<Comparison>('runs/compare', { runs });
  const places = ids.flatMap((id) =>
    (table.data?.rows ?? []).flatMap((row, index) => (row.run === id ? [{ row, index }] : [])),
  );
  const columns = (table.data?.columns ?? []).filter(({ kind, cells }) => {
    const values = new Set(places.map(({ index }) => JSON.stringify(cells[index]?.value)));
    return kind === 'loss' || kind === 'score' ? places.some(({ index }) => cells[index]) : values.size > 1;
  });
  const { difference, drawings = [] } = comparison.data ?? {};
  return (
    <>
      <PageHead title={`${ids.length} runs compared`} />
      <Problem error={table.error ?? comparison.error} />
      {columns.length > 0 && (
        <Table
          label="What differs"
          rows={columns}
          rowKey={({ fullName }) => fullName}
          columns={[
            { title: 'Figure', cell: ({ name, fullName }) => <span title={fullName}>{name}</span> },
            ...places.map(({ row, index }) => ({
              title: (
                <a href={linkTo('run', { run: row.run })}>
                  <Time iso={row.startedAt} /> {row.point}
                </a>
              ),
              kind: 'number' as const,
              cell: ({ cells, kind }: RunTable['columns'][number]) => {
                const value = cells[index]?.value;
                if (value === undefined) return '';
                if (typeof value !== 'number')
                  return typeof value === 'string' ? value : JSON.stringify(value);
                return kind === 'param' || kind === 'field' ? String(value) : formatFigure(value);
              },
            })),
          ]}
        />
      )}
      {table.data !== undefined && columns.length === 0 && (
        <Note>These runs differ in no param and have no figures.</Note>
      )}
      {drawings.length > 0 && (
        <Section id="losses" title="Training">
          {drawings.map((drawing) => (
            <Plot key={drawing.title} {...drawing} />
          ))}
        </Section>
      )}
      {difference && <Answers difference={difference} />}
    </>
  );
}

/** The answers that differ between two runs. */
function Answers({ difference: { answers, before, after } }: { readonly difference: RunDifference }) {
  const changed = answers.filter(({ examples }) => examples.length > 0);
  if (changed.length === 0) return null;
  return (
    <Section id="answers" title="Answers that differ">
      {changed.map(({ stage, changed: count, compared, examples }) => (
        <div class="block" key={stage}>
          <h3>
            {stage}: {count} of {compared}
          </h3>
          <ul class="answers">
            {examples.slice(0, mostAnswers).map((change) => (
              <li class="answer" key={change.id}>
                <div class="answer-head">
                  <DataText text={change.question} />
                </div>
                <dl class="answer-columns">
                  <div>
                    <dt>
                      <Time iso={before.started_at} />
                    </dt>
                    <dd>
                      <DataText text={change.before} />
                    </dd>
                  </div>
                  <div>
                    <dt>
                      <Time iso={after.started_at} />
                    </dt>
                    <dd>
                      <DataText text={change.after} />
                    </dd>
                  </div>
                </dl>
              </li>
            ))}
          </ul>
          {count > mostAnswers && (
            <p class="soft small">Shown are {mostAnswers}, those that got worse first.</p>
          )}
        </div>
      ))}
    </Section>
  );
}

const mostAnswers = 50;
