import type { RunRecord, StageOutcome } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import { isOver } from './is-over.ts';

/** Past runs, the latest first, a line each. */
export function runTable(records: readonly RunRecord[]): string {
  return renderTable({
    head: ['run', 'pipeline', 'outcome', 'time', 'ran', 'reused', 'params'],
    rows: records.map((record) => [
      safeLine(record.run),
      safeLine(record.pipeline),
      record.outcome,
      isOver(record.outcome) ? formatDuration(record.milliseconds) : '',
      String(count(record, 'ran')),
      String(count(record, 'reused')),
      record.overridden ? safeLine(JSON.stringify(record.params)) : '',
    ]),
    align: ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
    indent: '',
  });
}

const count = ({ stages }: RunRecord, decision: StageOutcome['decision']): number =>
  Object.values(stages).filter((outcome) => outcome.decision === decision).length;
