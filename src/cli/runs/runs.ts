import type { Json } from '../../core/index.ts';
import { listRuns, type RunRecord, type StageOutcome } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { formatBytes, formatCount, formatDuration } from '../terminal/format-number.ts';
import { labeledText, renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { findRun } from './find-run.ts';

/** `tuneloom runs`: lists past runs, or shows one of them stage by stage. */
export async function runsCommand({ words, options, context }: CommandCall<RunsOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 1 });
  const store = await storeOf({ file, options, context });
  const { terminal } = context;
  const [wanted] = names;
  if (wanted !== undefined) {
    const record = findRun(store, wanted);
    terminal.print(options.json ? JSON.stringify(record) : runDetails(record, terminal));
    return exitCode.success;
  }
  const records: RunRecord[] = [];
  for (const record of listRuns(store)) {
    records.push(record);
    if (records.length === options.limit) break;
  }
  if (options.json) terminal.print(JSON.stringify({ runs: records }));
  else terminal.print(records.length === 0 ? `no runs yet in ${store.root}` : runTable(records));
  return exitCode.success;
}

interface RunsOptions extends StoreOptions {
  readonly limit: number;
}

/** Past runs, the latest first, one line each. */
function runTable(records: readonly RunRecord[]): string {
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
  const list = lines.length === 0 ? [] : ['', labeledText(lines, { terminal })];
  return [labeledText(facts, { terminal, indent: '' }), ...list].join('\n');
}

/** A model's tokens per second and its process's peak memory. */
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

/** Whether a run recorded its end; the duration of others is unknown. */
const isOver = (outcome: RunRecord['outcome']): boolean => outcome !== 'running' && outcome !== 'killed';
