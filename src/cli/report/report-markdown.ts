import type { Json } from '../../core/index.ts';
import {
  type AnswerTable,
  columnNames,
  type ExperimentsTable,
  type Report,
  type ScoreCell,
  type ScoreTable,
  type TrainingView,
} from '../../view/index.ts';
import { counted, formatCount, formatDuration, formatFigure } from '../terminal/format-number.ts';

/** A report for a pull request or a job's summary: tables, and a few of the answers that changed. */
export function reportMarkdown(report: Report): string {
  const nameOf = columnNames(report);
  const { runs, scores, trainings, answers, sweep, comparison } = report;
  const changes = [
    ...(comparison?.params ?? []).map((change) => ({ where: 'params', ...change })),
    ...(comparison?.stages ?? []).flatMap(({ stage, fields }) =>
      fields.map((field) => ({ where: stage, ...field })),
    ),
  ];
  return [
    `## ${plain(report.title)}`,
    table(
      ['run', 'outcome', 'time', 'stages', 'params'],
      runs.map(({ run, outcome, milliseconds, stages, params }) => [
        code(run),
        outcome,
        // Nobody wrote down how long a run took that was killed.
        milliseconds === 0 ? '' : formatDuration(milliseconds),
        countsOf(stages),
        code(JSON.stringify(params)),
      ]),
    ),
    changes.length === 0
      ? ''
      : table(
          ['where', 'field', 'before', 'after'],
          changes.map(({ where, field, before, after }) => [
            plain(where),
            code(field),
            spell(before),
            spell(after),
          ]),
        ),
    sweep === undefined
      ? scores.map((each) => scoresText(each, nameOf)).join('\n\n')
      : experimentsText(sweep),
    trainings.map((training) => trainingText(training, nameOf(training))).join('\n'),
    answers.map((each) => answersText(each, each.columns.map(nameOf))).join('\n\n'),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

function scoresText({ columns, rows }: ScoreTable, nameOf: NameOf): string {
  return table(
    ['metric', ...columns.map((column) => plain(nameOf(column)))],
    rows.map(({ metric, of, cells }) => [
      plain(of === undefined ? metric : `${metric} (${of})`),
      ...cells.map(cellText),
    ]),
  );
}

type NameOf = (column: { readonly run: string; readonly stage: string }) => string;

function cellText(cell: ScoreCell | null): string {
  if (cell === null) return '';
  const { value, low, high } = cell;
  if (value === null) return 'undefined';
  const hasRange = low !== undefined && high !== undefined && low < high;
  return `${formatFigure(value)}${hasRange ? ` (${formatFigure(low)} to ${formatFigure(high)})` : ''}`;
}

function experimentsText({ experiments, columns }: ExperimentsTable): string {
  return table(
    [...columns.map(({ name }) => plain(name)), 'state'],
    experiments.map(({ state }, row) => [
      ...columns.map(({ kind, cells }) => {
        const value = cells[row]?.value;
        return typeof value === 'number' && (kind === 'loss' || kind === 'score')
          ? formatFigure(value)
          : spell(value);
      }),
      state,
    ]),
  );
}

function trainingText({ curves }: TrainingView, name: string): string {
  const { train, validation, kept_step, overfitting } = curves;
  const course = (label: string, points: typeof train): readonly string[] => {
    const [first, last] = [points[0], points.at(-1)];
    return first && last ? [`${label} ${formatFigure(first.value)} to ${formatFigure(last.value)}`] : [];
  };
  const facts = [
    ...course('training loss', train),
    ...course('validation loss', validation),
    ...(overfitting ? [`**overfitting begins at step ${formatCount(overfitting.step)}**`] : []),
    ...(kept_step === undefined ? [] : [`kept step ${formatCount(kept_step)}`]),
  ];
  return `- ${plain(name)}: ${facts.join(', ')}`;
}

const SHOWN_ANSWERS = 5;

/** The answers that changed, first those that are wrong now; without a second column, those that are wrong. */
function answersText({ rows }: AnswerTable, names: readonly string[]): string {
  const isCompared = names.length > 1;
  const chosen = rows.filter(({ answers }) =>
    isCompared ? new Set(answers.map((answer) => answer?.text)).size > 1 : answers[0]?.right === false,
  );
  const wrongFirst = [
    ...chosen.filter(({ answers }) => answers.at(-1)?.right === false),
    ...chosen.filter(({ answers }) => answers.at(-1)?.right !== false),
  ];
  const what = isCompared ? 'changed' : 'wrong';
  const head = `${counted(rows.length, 'answer')} of ${names.map(plain).join(' and ')}, ${formatCount(chosen.length)} ${what}`;
  if (chosen.length === 0) return `${head}.`;
  const shown = table(
    ['question', 'expected', ...names.map(plain)],
    wrongFirst
      .slice(0, SHOWN_ANSWERS)
      .map(({ question, expected, answers }) => [
        code(question),
        code(expected),
        ...answers.map((answer) => (answer === null ? '' : code(answer.text))),
      ]),
  );
  return `<details><summary>${head}</summary>\n\n${shown}\n\n</details>`;
}

const countsOf = (stages: Report['runs'][number]['stages']): string =>
  (['ran', 'reused', 'failed', 'skipped'] as const)
    .map((decision) => [stages.filter((stage) => stage.decision === decision).length, decision] as const)
    .filter(([count]) => count > 0)
    .map(([count, decision]) => `${count} ${decision}`)
    .join(', ');

const spell = (value: Json | undefined): string =>
  value === undefined ? '' : code(typeof value === 'string' ? value : JSON.stringify(value));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text that is nothing but text in Markdown: every character that could be markup is an entity. */
const plain = (text: string): string =>
  text
    .replaceAll(
      /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|[^\p{L}\p{M}\p{N}\p{Zs}\n_.,;:!?'"=%/+·–(){}-]/gu,
      (character) => `&#${character.codePointAt(0)};`,
    )
    .replaceAll(/[ \t]*\n[ \t]*/g, '<br>');

const MOST_CHARACTERS = 240;

/** A value or an answer, cut to a cell's length. In code nobody is mentioned. */
function code(text: string): string {
  if (text.trim() === '') return '';
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
  return `<code>${plain(cut.trim())}</code>`;
}
