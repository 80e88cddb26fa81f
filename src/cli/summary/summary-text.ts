import { formatDuration } from '../terminal/format-duration.ts';
import { counted } from '../terminal/format-number.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { answersText } from './answers-text.ts';
import { lossTable } from './loss-table.ts';
import { pointTable } from './point-table.ts';
import type { FailedStage, RunSummary } from './run-summary.ts';
import { scoreTable } from './score-table.ts';

/** The end of a run: what came of it, then what it did. */
export function summaryText(summary: RunSummary, terminal: Terminal): string {
  const title = (text: string) => terminal.colors.bold(text);
  return [
    section(title('Losses'), lossTable(summary.losses)),
    section(
      title('Scores'),
      summary.points === undefined ? scoreTable(summary.scores) : pointTable(summary.points),
    ),
    section(title('Answers'), summary.outcome === 'succeeded' ? answersText(summary.answers, terminal) : ''),
    ...summary.failed.map((failed) => `${failureText(failed, terminal)}\n\n`),
    headline(summary),
    section(`\n\n${title('Try next')}`, bullets(summary.try_next, terminal)).trimEnd(),
  ].join('');
}

const section = (title: string, body: string): string => (body === '' ? '' : `${title}\n${body}\n\n`);

function headline({ pipeline, outcome, milliseconds, ran, reused, skipped, failed }: RunSummary): string {
  const counts = [
    `${counted(ran.length, 'stage')} ran`,
    ...(reused.length > 0 ? [`${reused.length} reused`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(', ');
  const line = `${pipeline}: ${counts} in ${formatDuration(milliseconds)}`;
  switch (outcome) {
    case 'succeeded':
      return line;
    case 'failed':
      return `${line}\nWhat finished is kept: mend it and run again to go on from here.`;
    case 'interrupted':
      return `${line}; interrupted\nWhat finished is kept, and so is what a training last saved: run again to go on.`;
    default:
      return outcome satisfies never;
  }
}

function failureText({ stage, message, help, log }: FailedStage, { colors, columns }: Terminal): string {
  const lines = [`${colors.red('failed')} ${stage}: ${message}`];
  if (help !== undefined) lines.push(wrapText(`help: ${help}`, { columns, indent: '  ' }));
  if (log !== undefined) lines.push(`  log: ${log}`);
  return lines.join('\n');
}

const bullets = (sentences: readonly string[], { columns }: Terminal): string =>
  sentences
    .map((sentence) => `  - ${wrapText(safeText(sentence), { columns, indent: '    ' }).trimStart()}`)
    .join('\n');
