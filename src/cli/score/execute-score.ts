import { resolve } from 'node:path';
import { didYouMean } from '../../runtime/diagnostic/suggest.ts';
import type { Benchmark, Needed } from '../../stages/evaluate/benchmarks/benchmark.ts';
import { benchmarks } from '../../stages/evaluate/benchmarks/benchmarks.ts';
import type { BenchmarkFile } from '../../stages/evaluate/benchmarks/files/benchmark-file.ts';
import { UserError } from '../../user-error.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { ScoreOptions } from '../commands/score-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { benchmarkList } from './benchmark-list.ts';
import { scoresText } from './scores-text.ts';

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
