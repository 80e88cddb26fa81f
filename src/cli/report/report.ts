import { extname, resolve } from 'node:path';
import { listRuns, type RunRecord, type Store } from '../../runtime/index.ts';
import { type Report, viewReport } from '../../view/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { sharedStoreOf } from '../open-shared-store.ts';
import { findRun } from '../runs/find-run.ts';
import { counted, formatBytes } from '../terminal/format-number.ts';
import { writeWhole } from '../write-whole.ts';
import { reportHtml } from './report-html.ts';
import { reportMarkdown } from './report-markdown.ts';

/** `tuneloom report`: writes what runs were and what came of them as one HTML file, or as Markdown. */
export async function reportCommand({
  words,
  options,
  context,
}: CommandCall<ReportOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: MOST_RUNS });
  const format = formatOf(options);
  const store = await sharedStoreOf({ file, options, context });
  const report = await viewReport(store, chosenRuns(store, { file, names }));
  const { terminal } = context;
  if (options.json) {
    terminal.print(JSON.stringify(report));
    return exitCode.success;
  }
  if (format === 'md' && options.output === undefined) {
    terminal.print(reportMarkdown(report));
    return exitCode.success;
  }
  const name = options.output ?? 'report.html';
  const text = format === 'md' ? `${reportMarkdown(report)}\n` : await reportHtml(report);
  await writeWhole(resolve(context.workingDirectory, name), text);
  terminal.print(`${name}: ${contentsOf(report)}, ${formatBytes(Buffer.byteLength(text))}`);
  return exitCode.success;
}

interface ReportOptions extends StoreOptions {
  readonly output?: string;
  readonly format?: Format;
}

type Format = 'html' | 'md';

/** Of more runs a report would show little but itself. */
const MOST_RUNS = 200;

/** What `--format` says, else what the name of the file says, else HTML. */
function formatOf({ output, format }: ReportOptions): Format {
  if (output === undefined) return format ?? 'html';
  const byName = { '.html': 'html', '.htm': 'html', '.md': 'md' } as const;
  const extension = extname(output).toLowerCase();
  const named = byName[extension as keyof typeof byName] as Format | undefined;
  if (format !== undefined && named !== undefined && format !== named)
    throw new UsageError({
      message: `--format is ${format}, and \`${output}\` is named like ${named}`,
      help: `name it ${output.slice(0, -extension.length)}.${format}, or leave out --format`,
    });
  return format ?? named ?? 'html';
}

/** The runs that are named; without names the last one that has ended, of the file's pipeline if there is a file. */
function chosenRuns(
  store: Store,
  { file, names }: { readonly file: string | undefined; readonly names: readonly string[] },
): readonly [RunRecord, ...RunRecord[]] {
  const [first, ...rest] = names.map((name) => findRun(store, name));
  if (first !== undefined) {
    const runs = [first, ...rest] as const;
    const twice = runs.find(({ run }, index) => runs.findIndex((other) => other.run === run) !== index);
    if (twice !== undefined) throw new UsageError({ message: `the run ${twice.run} is named twice` });
    return runs;
  }
  for (const run of listRuns(store))
    if (run.outcome !== 'running' && (file === undefined || isOfFile(run, file))) return [run];
  throw new UsageError({
    message: `there is no run${file === undefined ? '' : ` of ${file}`} to report`,
    help: `\`tuneloom runs\` lists those in ${store.root}`,
  });
}

/** Compares base names: a record's path is relative to the store's parent, the command line's to the working directory. */
const isOfFile = (run: RunRecord, file: string): boolean => {
  const [recorded, asked] = [run.file, file].map((path) => path.split(/[/\\]/).at(-1));
  return recorded === asked;
};

function contentsOf({ runs, answers }: Report): string {
  const rows = answers.reduce((sum, table) => sum + table.rows.length, 0);
  return [counted(runs.length, 'run'), ...(rows === 0 ? [] : [counted(rows, 'answer')])].join(', ');
}
