import type { Json } from '../../json.ts';
import type { RunRecord, StageOutcome } from '../../runtime/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { formatBytes, formatCount } from '../terminal/format-number.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { isOver } from './is-over.ts';

/** One run, stage by stage. */
export function runDetails(record: RunRecord, terminal: Terminal): string {
  const { run, pipeline, file, params, outcome, milliseconds, startedAt, stages } = record;
  const facts = [
    { label: 'run', text: safeLine(run) },
    { label: 'pipeline', text: safeLine(`${pipeline} (${file})`) },
    { label: 'params', text: safeLine(JSON.stringify(params)) },
    { label: 'started', text: safeLine(startedAt) },
    {
      label: 'outcome',
      text: isOver(outcome) ? `${outcome} after ${formatDuration(milliseconds)}` : outcome,
    },
  ];
  const lines = Object.entries(stages).map(([stage, done]) => ({ label: stage, text: outcomeText(done) }));
  const list = lines.length === 0 ? [] : ['', labelledText(lines, { terminal })];
  return [labelledText(facts, { terminal, indent: '' }), ...list].join('\n');
}

/** How fast a model's tokens went, and the most memory that its process had. */
function measured({ tokens_per_second: speed, peak_memory: memory }: Readonly<Record<string, Json>>): string {
  const words = [
    ...(typeof speed === 'number' ? [`${formatCount(speed)} tokens/s`] : []),
    ...(typeof memory === 'number' ? [`peak memory ${formatBytes(memory)}`] : []),
  ];
  return words.map((word) => `, ${word}`).join('');
}

function outcomeText(outcome: StageOutcome): string {
  switch (outcome.decision) {
    case 'reused':
      return 'reused';
    case 'ran':
      return `ran in ${formatDuration(outcome.milliseconds)}${measured(outcome.measurements)}: ${safeLine(outcome.reason)}`;
    case 'failed':
      return `failed after ${formatDuration(outcome.milliseconds)}: ${describeFailure(outcome.failure).message}`;
    case 'skipped':
      return `skipped: ${safeLine(outcome.because)}`;
    default:
      return outcome satisfies never;
  }
}
