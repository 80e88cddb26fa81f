import { formatBytes, formatCount, formatFigure, type Json, type JsonObject } from '../../core/index.ts';
import { Badge, Facts } from '../components/layout.tsx';
import { Table } from '../components/table.tsx';
import { DataText } from '../components/text.tsx';

export interface Score {
  readonly metric: string;
  readonly of?: string;
  readonly value: number | null;
  readonly standard_error?: number;
  readonly interval?: { readonly low: number; readonly high: number };
  readonly count: number;
  readonly left_out?: { readonly count: number; readonly reason: string };
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly bytes: number;
}

export interface ModelFacts {
  readonly config: JsonObject;
  readonly files: readonly string[];
  readonly tensors: readonly Tensor[];
}

export interface FileFacts {
  /** The beginning of a file. */
  readonly text?: string;
  readonly bytes?: number;
  /** Of a folder. */
  readonly files?: readonly string[];
}

/** Any value as text. */
export const spelled = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 1);

interface Line {
  readonly entry: JsonObject;
  readonly index: number;
}

/** The evaluations first, which say more than each step. */
export function History({ entries }: { readonly entries: readonly JsonObject[] }) {
  const evaluations = entries.filter(({ type }) => type === 'evaluation');
  const shown = evaluations.length > 0 ? evaluations : entries.filter(({ type }) => type === 'step');
  const names = [...new Set(shown.flatMap(Object.keys))].filter((name) => name !== 'type');
  return (
    <Table
      label="History"
      rows={shown.map((entry, index) => ({ entry, index }))}
      rowKey={({ index }) => `${index}`}
      columns={names.map((name) => ({
        title: name.replaceAll('_', ' '),
        kind: 'number' as const,
        sortBy: ({ entry }: Line) => (typeof entry[name] === 'number' ? entry[name] : undefined),
        cell: ({ entry }: Line) => {
          const value = entry[name];
          return typeof value === 'number'
            ? Number.isInteger(value)
              ? formatCount(value)
              : formatFigure(value)
            : '';
        },
      }))}
    />
  );
}

export function Scores({ metrics }: { readonly metrics: readonly Score[] }) {
  return (
    <Table
      label="Scores"
      rows={metrics.map((score, index) => ({ ...score, index }))}
      rowKey={({ index }) => `${index}`}
      columns={[
        {
          title: 'Metric',
          cell: ({ metric, of }) => (of === undefined ? metric : <DataText text={`${metric}: ${of}`} />),
        },
        {
          title: 'Value',
          kind: 'number',
          sortBy: ({ value }) => value ?? undefined,
          cell: ({ value }) => (value === null ? 'undefined' : formatFigure(value)),
        },
        {
          title: 'Error',
          kind: 'number',
          cell: ({ standard_error: error, interval }) =>
            interval
              ? `${formatFigure(interval.low)} to ${formatFigure(interval.high)}`
              : error === undefined
                ? ''
                : `± ${error.toPrecision(2)}`,
        },
        { title: 'Records', kind: 'number', cell: ({ count }) => formatCount(count) },
        {
          title: 'Left out',
          cell: ({ left_out: left }) =>
            left === undefined ? '' : `${formatCount(left.count)}: ${left.reason}`,
        },
      ]}
    />
  );
}

export function Model({ config, files, tensors }: ModelFacts) {
  const count = tensors.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const bytes = tensors.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <div class="block">
      {tensors.length > 0 && (
        <p>
          {formatCount(count)} parameters in {tensors.length} tensors, {formatBytes(bytes)}
        </p>
      )}
      <Facts
        facts={Object.entries(config).map(([label, value]) => ({
          label,
          value: <DataText text={spelled(value)} />,
        }))}
      />
      {tensors.length > 0 && (
        <Table
          label="Tensors"
          rows={tensors}
          rowKey={({ name }) => name}
          columns={[
            { title: 'Tensor', cell: ({ name }) => <DataText text={name} /> },
            { title: 'Shape', kind: 'nowrap', cell: ({ shape }) => shape.join(' × ') || 'scalar' },
            { title: 'Type', cell: ({ dtype }) => <Badge>{dtype}</Badge> },
            {
              title: 'Size',
              kind: 'number',
              sortBy: (one) => one.bytes,
              cell: (one) => formatBytes(one.bytes),
            },
          ]}
        />
      )}
      <p class="soft small">Files: {files.join(', ')}</p>
    </div>
  );
}

export function File({ text, bytes, files }: FileFacts) {
  if (files !== undefined) return <p>{files.join(', ')}</p>;
  return (
    <div class="block">
      {bytes !== undefined && <p class="soft small">{formatBytes(bytes)}; the beginning is shown.</p>}
      <pre class="log">
        <DataText text={text ?? ''} />
      </pre>
    </div>
  );
}
