import { resolve } from 'node:path';
import {
  type Benchmark,
  type BenchmarkFile,
  type BenchmarkScore,
  type BenchmarkScores,
  benchmarks,
  type Needed,
  type Remark,
} from '../../benchmarks/index.ts';
import { didYouMean, UserError } from '../../core/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { renderTable, wrapText } from '../terminal/layout.ts';
import { safeLine, shortLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom score`: scores a file of predictions, or lists what can be scored. */
export async function execute({ words, options, context }: CommandCall<ScoreOptions>): Promise<ExitCode> {
  const { terminal } = context;
  const [name] = words;
  if (name === undefined) {
    terminal.print(options.json ? JSON.stringify(benchmarkList.json()) : benchmarkList.text());
    return exitCode.success;
  }
  const benchmark = benchmarkNamed(name);
  const files = namedFiles({ name, benchmark, options, folder: context.workingDirectory });
  try {
    const scores = await benchmark.score({
      ...files,
      resampling: { rounds: options.rounds, seed: options.seed },
    });
    terminal.print(
      options.json ? JSON.stringify({ benchmark: name, ...scores }) : scoresText(scores, terminal),
    );
    return exitCode.success;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    if (!options.json) throw new UsageError({ message, help });
    terminal.print(JSON.stringify({ errors: [{ code, message, ...(help ? { help } : {}) }] }));
    return exitCode.badUsage;
  }
}

function benchmarkNamed(name: string): Benchmark {
  const benchmark = benchmarks.get(name);
  if (benchmark) return benchmark;
  const tasks = [...benchmarks.keys()].filter((known) => known.startsWith(`${name}/`));
  if (tasks.length > 0)
    throw new UsageError({
      message: `\`${name}\` has several tasks`,
      help: `name one of them: ${tasks.join(', ')}`,
    });
  throw new UsageError({
    message: `there is no benchmark \`${name}\``,
    help: didYouMean(name, benchmarks.keys()) ?? '`tuneloom score` lists them',
  });
}

interface Call {
  readonly name: string;
  readonly benchmark: Benchmark;
  readonly options: ScoreOptions;
  readonly folder: string;
}

/** The files that the benchmark needs, none missing and none too many. */
function namedFiles({ name, benchmark, options, folder }: Call): {
  readonly data: BenchmarkFile;
  readonly predictions: BenchmarkFile;
} {
  if (benchmark.predictions === undefined && options.predictions !== undefined)
    throw new UsageError({
      message: `\`${name}\` takes no \`--predictions\``,
      help: `\`--data\` is all it needs: ${benchmark.data.file}`,
    });
  const fileOf = (option: 'data' | 'predictions', needed: Needed): BenchmarkFile => {
    const given = options[option];
    if (given !== undefined) return { path: resolve(folder, given), name: given };
    throw new UsageError({
      message: `\`${name}\` needs \`--${option}\`: ${needed.file}`,
      help: `as in \`${exampleCall(name, benchmark)}\``,
    });
  };
  const data = fileOf('data', benchmark.data);
  return { data, predictions: benchmark.predictions ? fileOf('predictions', benchmark.predictions) : data };
}

const exampleCall = (name: string, { data, predictions }: Benchmark): string =>
  [
    `tuneloom score ${name} --data ${data.example}`,
    ...(predictions ? [`--predictions ${predictions.example}`] : []),
  ].join(' ');

const WIDEST_NAME = 26;
const MOST_IDS = 3;

/** A row a figure with its error, then what a reader has to know. */
function scoresText({ metrics, remarks }: BenchmarkScores, { columns }: Pick<Terminal, 'columns'>): string {
  const rows = metrics.map((score) => [
    score.metric,
    score.of === undefined ? '' : shortLine(safeLine(score.of), WIDEST_NAME),
    figure(score.value),
    errorOf(score),
    formatCount(score.count),
  ]);
  // Most benchmarks rate one thing: their table has no column for it.
  const isUsed = (column: number): boolean => column !== 1 || metrics.some(({ of }) => of !== undefined);
  const pick = <Cell>(row: readonly Cell[]): readonly Cell[] => row.filter((_, column) => isUsed(column));
  const table = renderTable({
    head: pick(['metric', 'of', 'value', 'error', 'count']),
    rows: rows.map(pick),
    align: pick(['left', 'left', 'right', 'right', 'right']),
    indent: '',
  });
  return [table, ...paragraph(notes({ metrics, remarks }).map((note) => wrapText(note, { columns })))].join(
    '\n\n',
  );
}

const paragraph = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [lines.join('\n')];

const figure = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : formatFigure(value);

function errorOf({ standard_error, interval }: BenchmarkScore): string {
  if (interval) return `[${figure(interval.low)}, ${figure(interval.high)}]`;
  return standard_error === undefined ? '' : `± ${standard_error.toPrecision(2)}`;
}

function notes({ metrics, remarks }: BenchmarkScores): readonly string[] {
  const interval = metrics.find((score) => score.interval)?.interval;
  return [
    ...(metrics.some(({ standard_error }) => standard_error !== undefined)
      ? ['±: the standard error of a mean.']
      : []),
    ...(interval
      ? [`[low, high]: 95 % of ${formatCount(interval.rounds)} bootstrap rounds, seed ${interval.seed}.`]
      : []),
    ...remarks.map((remark) => `note: ${remarkText(remark)}.`),
  ];
}

function remarkText({ text, ids }: Remark): string {
  if (ids === undefined) return text;
  const shown = ids.slice(0, MOST_IDS).map((id) => safeLine(id));
  return `${text}: ${formatCount(ids.length)} (${[...shown, ...(ids.length > MOST_IDS ? ['...'] : [])].join(', ')})`;
}

/** Every benchmark that can be scored. */
const benchmarkList = {
  json: () =>
    [...benchmarks].map(([name, { summary, data, predictions }]) => ({
      name,
      summary,
      data: data.file,
      ...(predictions ? { predictions: predictions.file } : {}),
    })),
  text: (): string =>
    renderTable({
      head: ['benchmark', 'what is scored'],
      rows: [...benchmarks].map(([name, { summary }]) => [name, summary]),
      indent: '',
    }),
};

export interface ScoreOptions extends JsonOption {
  readonly data?: string;
  readonly predictions?: string;
  readonly rounds: number;
  readonly seed: number;
}
