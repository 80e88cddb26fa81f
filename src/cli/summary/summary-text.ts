import type { Json } from '../../core/index.ts';
import { mainScores, scoreName } from '../../view/index.ts';
import { counted, formatCount, formatDuration, formatFigure } from '../terminal/format-number.ts';
import { excerpt, labeledText } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { fitTable, renderTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { AnsweredCount, ComparedAnswer } from './answers.ts';
import { scoreCell, scoreTable } from './score-table.ts';
import type { FailedStage, PointScores, RunSummary } from './summarize-run.ts';
import { type LossCourse, type StageLosses, type Training, trainingText } from './trainings.ts';

/** The end of a run: its results, then what it did. */
export function summaryText(summary: RunSummary, terminal: Terminal): string {
  const { answers, answered, losses, points, scores, trainings } = summary;
  const title = (text: string) => terminal.colors.bold(text);
  const isOver = summary.outcome === 'succeeded';
  return [
    section(title('Losses'), joinedBlocks([lossTable(losses, terminal), chartsOf(trainings, terminal)])),
    section(
      title('Scores'),
      points === undefined ? scoreTable(scores, terminal) : pointTable(points, terminal),
    ),
    section(
      `${title('Answers')}${answered ? countText(answered, answers.length) : ''}`,
      isOver ? answers.map((answer) => answerText(answer, terminal)).join('\n') : '',
    ),
    ...summary.failed.map((failed) => `${failureText(failed, terminal)}\n\n`),
    headline(summary, terminal),
    section(`\n\n${title('Try next')}`, bullets(summary.try_next, terminal)).trimEnd(),
  ].join('');
}

const section = (title: string, body: string): string => (body === '' ? '' : `${title}\n${body}\n\n`);

const joinedBlocks = (blocks: readonly string[]): string =>
  blocks.filter((block) => block !== '').join('\n\n');

/** Of more trainings than this a table says more than charts. */
const MOST_CHARTS = 2;

function chartsOf(trainings: readonly Training[], terminal: Terminal): string {
  if (trainings.length > MOST_CHARTS) return '';
  return joinedBlocks(
    trainings.map((training) => {
      const text = trainingText(training, terminal);
      return trainings.length === 1 || text === '' ? text : `  ${safeLine(training.stage)}\n${text}`;
    }),
  );
}

function countText({ stage, count, wrong }: AnsweredCount, shown: number): string {
  const of = `${shown} of ${formatCount(count)} of ${safeLine(stage)}`;
  if (wrong === undefined) return ` (${of})`;
  return wrong === 0 ? ` (${of}; none is wrong)` : ` (${of}; ${formatCount(wrong)} wrong, shown first)`;
}

function headline(summary: RunSummary, { columns }: Terminal): string {
  const { pipeline, outcome, milliseconds, ran, reused, skipped, failed, stopped } = summary;
  const counts = [
    `${counted(ran.length, 'stage')} ran`,
    ...(reused.length > 0 ? [`${reused.length} reused`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(stopped.length > 0 ? [`${stopped.length} stopped`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(', ');
  const line = `${pipeline}: ${counts} in ${formatDuration(milliseconds)}`;
  switch (outcome) {
    case 'succeeded':
      return line;
    case 'failed':
      return wrapText(
        `${line}\nFinished stages are kept: fix the problem and run again to continue from here.`,
        { columns },
      );
    case 'interrupted':
      return wrapText(
        `${line}; interrupted\nFinished stages are kept, and so is the last saved state of a training: run again to continue.`,
        { columns },
      );
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
    ...given.map(({ stage, response, right }) => ({
      label: stage,
      text: `${markOf(right, terminal)}${excerpt(response, MOST_CHARACTERS)}`,
    })),
  ];
  const asked = wrapText(excerpt(question, MOST_CHARACTERS), { columns: terminal.columns, indent: '  ' });
  return `${asked}\n${labeledText(lines, { terminal, indent: '    ' })}`;
}

const MOST_CHARACTERS = 240;

const markOf = (right: boolean | undefined, { colors }: Terminal): string =>
  right === undefined ? '' : right ? `${colors.green('✔')} ` : `${colors.red('✖')} `;

/** First, last and best losses of every training; empty if there are none. */
function lossTable(losses: readonly StageLosses[], { width }: Terminal): string {
  const rows = losses.flatMap(({ stage, train, validation, measures = {} }) => [
    ...(train ? [row([stage, 'train'], train)] : []),
    ...(validation ? [row([train ? '' : stage, 'validation'], validation)] : []),
    ...Object.entries(measures).map(([name, course]) => row(['', name.replace('_loss', '')], course)),
  ]);
  if (rows.length === 0) return '';
  const align = ['left', 'left', 'right', 'right', 'right', 'left'] as const;
  return renderTable({
    ...{ head: ['', '', 'first', 'last', 'best', ''], rows, align, columns: width },
    importance: [undefined, undefined, 1, undefined, undefined, 2],
    fold: ['cut'],
  });
}

const row = (labels: readonly string[], { first, last, best, best_step }: LossCourse): readonly string[] => [
  ...labels,
  ...[first, last, best].map(formatFigure),
  `at step ${formatCount(best_step)}`,
];

/** A row for each point: its params, then every metric, with its stage if several stages evaluate. */
function pointTable(points: readonly PointScores[], { width }: Terminal): string {
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
    stages.size > 1 ? `${safeLine(stage)}\n${safeLine(metric)}` : safeLine(metric),
  );
  const rows = points.map(({ params, scores }) => [
    ...names.map((name) => (Object.hasOwn(params, name) ? safeLine(spell(params[name])) : '')),
    ...[...columns.values()].map(({ stage, metric }) => {
      const own = scores.find((each) => each.stage === stage)?.metrics;
      return scoreCell(own?.find((score) => scoreName(score) === metric));
    }),
  ]);
  const head = [...names.map(safeLine), ...titles];
  const { text: table, left } = fitTable({
    head,
    rows,
    align: head.map((_, index) => (index < names.length ? 'left' : 'right')),
    // The params tell the points apart; the last metrics matter least.
    importance: head.map((_, index) => (index <= names.length ? undefined : head.length - index)),
    columns: width,
  });
  const isShort = points.some(({ scores }) =>
    scores.some(({ metrics }) => mainScores(metrics).length < metrics.length),
  );
  const notes = [
    ...(left.length === 0
      ? []
      : [
          `not shown for lack of room: ${left
            .map((at) => head[at])
            .join(', ')
            .replaceAll('\n', ' ')}`,
        ]),
    ...(isShort ? ['more figures, of parts, with `--json`'] : []),
  ];
  return [table, ...notes.map((note) => wrapText(note, { columns: width, indent: '  ' }))].join('\n');
}

const spell = (value: Json | undefined): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
