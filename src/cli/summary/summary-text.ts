import type { Json } from '../../core/index.ts';
import { mainScores, scoreName } from '../../view/index.ts';
import { counted, formatCount, formatDuration, formatFigure } from '../terminal/format-number.ts';
import { excerpt, labeledText, renderTable, wrapText } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { LossCourse, StageLosses } from './outputs.ts';
import { scoreCell, scoreTable } from './score-table.ts';
import type { ComparedAnswer, FailedStage, PointScores, RunSummary } from './summarize-run.ts';

/** The end of a run: its results, then what it did. */
export function summaryText(summary: RunSummary, terminal: Terminal): string {
  const title = (text: string) => terminal.colors.bold(text);
  const answers = summary.outcome === 'succeeded' ? summary.answers : [];
  return [
    section(title('Losses'), lossTable(summary.losses)),
    section(
      title('Scores'),
      summary.points === undefined ? scoreTable(summary.scores) : pointTable(summary.points),
    ),
    section(title('Answers'), answers.map((answer) => answerText(answer, terminal)).join('\n')),
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
      return `${line}\nFinished stages are kept: fix the problem and run again to continue from here.`;
    case 'interrupted':
      return `${line}; interrupted\nFinished stages are kept, and so is the last saved state of a training: run again to continue.`;
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

/** A prompt with the expected answer and that of each stage. */
function answerText({ question, expected, given }: ComparedAnswer, terminal: Terminal): string {
  const lines = [
    { label: 'expected', text: excerpt(expected, MOST_CHARACTERS) },
    ...given.map(({ stage, response }) => ({ label: stage, text: excerpt(response, MOST_CHARACTERS) })),
  ];
  const asked = wrapText(excerpt(question, MOST_CHARACTERS), { columns: terminal.columns, indent: '  ' });
  return `${asked}\n${labeledText(lines, { terminal, indent: '    ' })}`;
}

const MOST_CHARACTERS = 240;

/** First, last and best losses of every training; empty if there are none. */
function lossTable(losses: readonly StageLosses[]): string {
  const rows = losses.flatMap(({ stage, train, validation }) => [
    ...(train ? [row([stage, 'train'], train)] : []),
    ...(validation ? [row([train ? '' : stage, 'validation'], validation)] : []),
  ]);
  if (rows.length === 0) return '';
  const align = ['left', 'left', 'right', 'right', 'right', 'left'] as const;
  return renderTable({ head: ['', '', 'first', 'last', 'best', ''], rows, align });
}

const row = (labels: readonly string[], { first, last, best, best_step }: LossCourse): readonly string[] => [
  ...labels,
  ...[first, last, best].map(formatFigure),
  `at step ${formatCount(best_step)}`,
];

/** A row for each point: its params, then every metric, with its stage if several stages evaluate. */
function pointTable(points: readonly PointScores[]): string {
  const names = [...new Set(points.flatMap(({ params }) => Object.keys(params)))].sort();
  const stages = new Set(points.flatMap(({ scores }) => scores.map(({ stage }) => stage)));
  const columns = new Map(
    points.flatMap(({ scores }) =>
      scores.flatMap(({ stage, metrics }) =>
        mainScores(metrics)
          .map(scoreName)
          .map((metric) => [`${stage} ${metric}`, { stage, metric }] as const),
      ),
    ),
  );
  if (columns.size === 0) return '';
  const titles = [...columns.values()].map(({ stage, metric }) =>
    safeLine(stages.size > 1 ? `${stage} ${metric}` : metric),
  );
  const rows = points.map(({ params, scores }) => [
    ...names.map((name) => (Object.hasOwn(params, name) ? safeLine(spell(params[name])) : '')),
    ...[...columns.values()].map(({ stage, metric }) => {
      const own = scores.find((each) => each.stage === stage)?.metrics;
      return scoreCell(own?.find((score) => scoreName(score) === metric));
    }),
  ]);
  const head = [...names.map(safeLine), ...titles];
  const table = renderTable({
    head,
    rows,
    align: head.map((_, index) => (index < names.length ? 'left' : 'right')),
  });
  const isShort = points.some(({ scores }) =>
    scores.some(({ metrics }) => mainScores(metrics).length < metrics.length),
  );
  return isShort ? `${table}\n  more figures, of parts, with \`--json\`` : table;
}

const spell = (value: Json | undefined): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
