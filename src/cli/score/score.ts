import { resolve } from 'node:path';
import {
  type BenchmarkFile,
  type BenchmarkScore,
  type BenchmarkScores,
  type NeededFile,
  type Scorer,
  scorers,
} from '../../benchmarks/index.ts';
import { didYouMean, UserError } from '../../core/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { renderTable, wrapText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shortLine } from '../terminal/wrap-text.ts';

/** `tuneloom score`: scores a file of predictions, or lists what can be scored. */
export async function scoreCommand({
  words,
  options,
  context,
}: CommandCall<ScoreOptions>): Promise<ExitCode> {
  const { terminal } = context;
  const [name] = words;
  if (name === undefined) {
    terminal.print(options.json ? JSON.stringify(listed()) : listText());
    return exitCode.success;
  }
  const scorer = scorerNamed(name);
  const files = namedFiles(name, { scorer, options, folder: context.workingDirectory });
  try {
    const scores = await scorer.score({
      ...files,
      resampling: { rounds: options.rounds, seed: options.seed },
    });
    const shown = { benchmark: name, metrics: scores.metrics, remarks: remarksOf(scores) };
    terminal.print(options.json ? JSON.stringify(shown) : scoresText(scores, terminal));
    return exitCode.success;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    if (!options.json) throw new UsageError({ message, help });
    terminal.print(JSON.stringify({ errors: [{ code, message, ...(help ? { help } : {}) }] }));
    return exitCode.badUsage;
  }
}

function scorerNamed(name: string): Scorer {
  const scorer = scorers.get(name);
  if (scorer) return scorer;
  const tasks = [...scorers.keys()].filter((known) => known.startsWith(`${name}/`));
  if (tasks.length > 0)
    throw new UsageError({
      message: `\`${name}\` has several tasks`,
      help: `name one of them: ${tasks.join(', ')}`,
    });
  throw new UsageError({
    message: `there is no benchmark \`${name}\``,
    help: didYouMean(name, scorers.keys()) ?? '`tuneloom score` lists them',
  });
}

interface Call {
  readonly scorer: Scorer;
  readonly options: ScoreOptions;
  readonly folder: string;
}

/** Exactly the files that the benchmark needs. */
function namedFiles(
  name: string,
  { scorer, options, folder }: Call,
): { readonly data: BenchmarkFile; readonly predictions: BenchmarkFile } {
  if (scorer.predictions === undefined && options.predictions !== undefined)
    throw new UsageError({
      message: `\`${name}\` takes no \`--predictions\``,
      help: `\`--data\` is all it needs: ${scorer.data.file}`,
    });
  const fileOf = (option: 'data' | 'predictions', needed: NeededFile): BenchmarkFile => {
    const given = options[option];
    if (given !== undefined) return { path: resolve(folder, given), name: given };
    throw new UsageError({
      message: `\`${name}\` needs \`--${option}\`: ${needed.file}`,
      help: `as in \`${exampleCall(name, scorer)}\``,
    });
  };
  const data = fileOf('data', scorer.data);
  return { data, predictions: scorer.predictions ? fileOf('predictions', scorer.predictions) : data };
}

const exampleCall = (name: string, { data, predictions }: Scorer): string =>
  [
    `tuneloom score ${name} --data ${data.example}`,
    ...(predictions ? [`--predictions ${predictions.example}`] : []),
  ].join(' ');

const WIDEST_NAME = 26;
const MOST_IDS = 3;

/** A row for each figure with its error, then what a reader has to know. */
function scoresText(scores: BenchmarkScores, { columns }: Pick<Terminal, 'columns'>): string {
  const { metrics } = scores;
  const rows = metrics.map((score) => [
    score.metric,
    score.of === undefined ? '' : shortLine(safeLine(score.of), WIDEST_NAME),
    figure(score.value),
    errorOf(score),
    formatCount(score.count),
  ]);
  // Most benchmarks score one thing: their table needs no column for it.
  const isUsed = (column: number): boolean => column !== 1 || metrics.some(({ of }) => of !== undefined);
  const pick = <Cell>(row: readonly Cell[]): readonly Cell[] => row.filter((_, column) => isUsed(column));
  const table = renderTable({
    head: pick(['metric', 'of', 'value', 'error', 'count']),
    rows: rows.map(pick),
    align: pick(['left', 'left', 'right', 'right', 'right']),
    ...{ columns, indent: '' },
  });
  return [table, ...paragraph(notes(scores).map((note) => wrapText(note, { columns })))].join('\n\n');
}

const paragraph = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [lines.join('\n')];

const figure = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : formatFigure(value);

function errorOf({ standard_error, interval }: BenchmarkScore): string {
  if (interval) return `[${figure(interval.low)}, ${figure(interval.high)}]`;
  return standard_error === undefined ? '' : `± ${standard_error.toPrecision(2)}`;
}

function notes(scores: BenchmarkScores): readonly string[] {
  const { metrics } = scores;
  const interval = metrics.find((score) => score.interval)?.interval;
  return [
    ...(metrics.some(({ standard_error }) => standard_error !== undefined)
      ? ['±: the standard error of a mean.']
      : []),
    ...(interval
      ? [`[low, high]: 95 % of ${formatCount(interval.rounds)} bootstrap rounds, seed ${interval.seed}.`]
      : []),
    ...remarksOf(scores).map((remark) => `note: ${remarkText(remark)}.`),
  ];
}

type Remark = BenchmarkScores['remarks'][number];

/** What is about certain items, then what was left out, then what holds for all figures. */
const remarksOf = ({ remarks, leftOut = [] }: BenchmarkScores): readonly Remark[] => [
  ...remarks.filter(({ ids }) => ids !== undefined),
  ...leftOut.map(({ reason, ids }) => ({ text: `${reason}, left out`, ids })),
  ...remarks.filter(({ ids }) => ids === undefined),
];

function remarkText({ text, ids }: Remark): string {
  if (ids === undefined) return text;
  const shown = ids.slice(0, MOST_IDS).map((id) => safeLine(id));
  return `${text}: ${formatCount(ids.length)} (${[...shown, ...(ids.length > MOST_IDS ? ['...'] : [])].join(', ')})`;
}

const listed = () =>
  [...scorers].map(([name, { summary, data, predictions }]) => ({
    name,
    summary,
    data: data.file,
    ...(predictions ? { predictions: predictions.file } : {}),
  }));

const listText = (): string =>
  renderTable({
    head: ['benchmark', 'what is scored'],
    rows: [...scorers].map(([name, { summary }]) => [name, summary]),
    indent: '',
  });

export interface ScoreOptions extends JsonOption {
  readonly data?: string;
  readonly predictions?: string;
  readonly rounds: number;
  readonly seed: number;
}
