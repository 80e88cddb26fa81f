import { reusedText } from '../reporter/reused-text.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { counted } from '../terminal/format-number.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { PlanView, StageView } from './plan-view.ts';

/** What would run and why; stages that would be reused take one line. */
export function planText({ pipeline, stages }: PlanView, terminal: Terminal): string {
  const reused = stages.filter(({ decision }) => decision === 'reuse').map(({ stage }) => stage);
  const others = stages.filter(({ decision }) => decision !== 'reuse');
  if (others.length === 0)
    return `${pipeline}: nothing would run; ${counted(reused.length, 'stage')} up to date`;
  const lines = others.map((stage) => ({ label: stage.stage, text: sentence(stage) }));
  return [
    `${pipeline}: ${headline(others)}`,
    ...(reused.length === 0 ? [] : [`  ${terminal.colors.dim(reusedText(reused))}`]),
    labelledText(lines, { terminal }),
  ].join('\n');
}

function headline(stages: readonly StageView[]): string {
  const runs = stages.filter(({ decision }) => decision === 'run').length;
  const waits = stages.length - runs;
  return `${counted(runs, 'stage')} would run${waits === 0 ? '' : `, ${waits} may follow`}`;
}

function sentence({ decision, reason = '', last_milliseconds, expected_memory }: StageView): string {
  const facts = [
    ...(expected_memory === undefined ? [] : [`about ${(expected_memory / 1e9).toFixed(1)} GB of memory`]),
    ...(last_milliseconds === undefined ? [] : [`last time ${formatDuration(last_milliseconds)}`]),
  ];
  const took = facts.length === 0 ? '' : ` (${facts.join('; ')})`;
  return `${decision === 'run' ? `runs: ${safeLine(reason)}` : safeLine(reason)}${took}`;
}
