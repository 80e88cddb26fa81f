import type { ComponentChildren } from 'preact';
import { formatDuration } from '../../core/index.ts';
import type { RunOutput, RunRow, RunTable } from '../../server/index.ts';
import { Badge, Note } from '../components/layout.tsx';
import type { RequestError } from './api.ts';
import { useData } from './hooks.ts';

/** What went wrong, and how to fix it. */
export function Problem({ error }: { readonly error: Pick<RequestError, 'message' | 'help'> | undefined }) {
  return (
    <div role="alert">
      {error && (
        <Note tone="bad">
          <strong>{error.message}</strong>
          {error.help && <p>{error.help}</p>}
        </Note>
      )}
    </div>
  );
}

/** The title of a page, with what belongs beside it. */
export function PageHead({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {children}
    </header>
  );
}

const tones = {
  succeeded: 'good',
  failed: 'bad',
  killed: 'bad',
  interrupted: 'warn',
  running: 'plain',
} as const;

export const StateBadge = ({ state }: { readonly state: RunRow['state'] }) => (
  <Badge tone={tones[state]}>
    {state === 'running' && <span class="pulse" aria-hidden="true" />}
    {state}
  </Badge>
);

/** A run's beginning, in the reader's own time. */
export function Time({ iso }: { readonly iso: string }) {
  return (
    <time dateTime={iso} title={new Date(iso).toString()}>
      {timeOf(iso)}
    </time>
  );
}

/** In the reader's own time, with the day unless it is today. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  const day: Intl.DateTimeFormatOptions = isToday ? {} : { day: 'numeric', month: 'short' };
  return date.toLocaleString('en-GB', { ...day, hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export const Duration = ({ milliseconds }: { readonly milliseconds: number | undefined }) => (
  <>{milliseconds === undefined ? '' : formatDuration(milliseconds)}</>
);

/** A label above a field. */
export function Labeled({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among its children
    <label class="labeled">
      <span>{label}</span>
      {children}
    </label>
  );
}

/** One of several values. */
export function Choice({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly text: string }[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <Labeled label={label}>
      <select class="field" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </Labeled>
  );
}

export interface RunDetail {
  readonly pipeline?: string;
  readonly outputs: readonly RunOutput[];
}

/** The runs that have ended with results, for a page that shows one of them, and the results of the chosen one. */
export function useRunChoice(wanted: string | undefined) {
  const table = useData<RunTable>('runs');
  const rows = table.data?.rows ?? [];
  const runs = [...new Map(rows.map((row) => [row.run, row])).values()].filter(
    ({ ran, reused }) => ran + reused > 0,
  );
  const run = wanted ?? runs[0]?.run;
  const detail = useData<RunDetail>(run === undefined ? undefined : `runs/${run}`);
  const isOne = new Set(runs.map(({ pipeline }) => pipeline)).size === 1;
  const options = runs.map(({ run: value, pipeline, startedAt, state }) => ({
    value,
    text: [timeOf(startedAt), ...(isOne ? [] : [pipeline]), ...(state === 'succeeded' ? [] : [state])].join(
      ', ',
    ),
  }));
  if (run !== undefined && !options.some(({ value }) => value === run))
    options.unshift({ value: run, text: run });
  return {
    run,
    options,
    outputs: detail.data?.outputs,
    error: table.error ?? detail.error,
    isEmpty: table.data !== undefined && run === undefined,
  };
}

export const NoRuns = () => (
  <Note>No run has results yet. Start one on the page Runs, or with tuneloom run.</Note>
);
