import { formatCount } from '../../core/index.ts';
import { Section } from '../components/layout.tsx';
import { Table } from '../components/table.tsx';
import { DataText } from '../components/text.tsx';
import type { RequestError } from './api.ts';
import { Problem } from './parts.tsx';

/** The figures of the arena benchmark. */
export interface Board {
  readonly metrics: readonly {
    readonly metric: string;
    readonly of?: string;
    readonly value: number | null;
    readonly count: number;
    readonly interval?: { readonly low: number; readonly high: number };
  }[];
  readonly remarks: readonly { readonly text: string }[];
}

/** The ratings of all models that people chose between, the best first. */
export function BoardTable({
  board,
  error,
}: {
  readonly board: Board | undefined;
  readonly error: RequestError | undefined;
}) {
  const { metrics = [], remarks = [] } = board ?? {};
  const kind = metrics.some(({ metric }) => metric === 'bradley_terry') ? 'bradley_terry' : 'elo';
  const rows = metrics.filter(({ metric }) => metric === kind);
  const rankOf = (model: string | undefined) =>
    metrics.find(({ metric, of }) => metric === 'rank' && of === model)?.value;
  return (
    <Section id="board" title="Board">
      <Problem error={error} />
      {rows.length === 0 ? (
        <p class="soft">It is empty until the first choice.</p>
      ) : (
        <Table
          label="Models by rating"
          rows={rows}
          rowKey={({ of }) => of ?? ''}
          columns={[
            { title: 'Model', kind: 'nowrap', cell: ({ of }) => <DataText text={of ?? ''} /> },
            ...(kind === 'bradley_terry'
              ? [
                  {
                    title: 'Rank',
                    kind: 'number' as const,
                    cell: ({ of }: Board['metrics'][number]) => rankOf(of) ?? '',
                  },
                ]
              : []),
            {
              title: kind === 'elo' ? 'Elo' : 'Bradley-Terry',
              kind: 'number',
              cell: ({ value }) => (value === null ? '' : formatCount(value)),
            },
            {
              title: '95 % interval',
              kind: 'number',
              cell: ({ interval }) =>
                interval && `${formatCount(interval.low)} to ${formatCount(interval.high)}`,
            },
            { title: 'Battles', kind: 'number', cell: ({ count }) => formatCount(count) },
          ]}
        />
      )}
      {rows.length > 0 &&
        remarks.map(({ text }) => (
          <p class="soft small" key={text}>
            {text}.
          </p>
        ))}
    </Section>
  );
}
