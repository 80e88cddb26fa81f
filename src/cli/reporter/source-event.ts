import type { RunEvent } from '../../runtime/event/run-event.ts';
import type { ProgressReport } from './progress.ts';

/** What a run says of the remote sources that it brings in before it starts. */
export type SourceEvent = Extract<RunEvent, { readonly source: string }>;

export const isSourceEvent = (event: RunEvent): event is SourceEvent => 'source' in event;

const mebibyte = 2 ** 20;

/** A download as the progress of a stage is shown. */
export const downloadReport = ({
  done,
  total,
}: Extract<SourceEvent, { type: 'source-progress' }>): ProgressReport => ({
  type: 'progress',
  unit: 'MiB',
  done: Math.floor(done / mebibyte),
  ...(total === undefined ? {} : { total: Math.ceil(total / mebibyte) }),
});
