import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { jsonOption, repeatable, storeOption, wholeNumber } from './options.ts';

/** The commands that show past runs beside each other. */
export const experimentCommands: readonly CommandDeclaration[] = [
  {
    name: 'runs',
    usage: '[file] [run]',
    mostWords: 2,
    summary: 'Compare past runs in a table, or show what one of them did',
    options: [
      repeatable(
        '--where <condition>',
        'only runs for which it holds, as epochs=2, exact_match>=0.9 or state!=failed; repeatable',
      ),
      new Option(
        '--sort <name>',
        'by a column, the best or the smallest first; -<name> reverses (default: the latest first)',
      ),
      new Option('-n, --limit <number>', 'how many to list (default: 10; with --csv and --md all)').argParser(
        wholeNumber(1),
      ),
      new Option('--csv', 'print every column as CSV').conflicts('json'),
      new Option('--md', 'print a table for Markdown').conflicts(['json', 'csv']),
      storeOption,
      jsonOption,
    ],
    examples: [
      { line: 'tuneloom runs', does: 'the last ten: what differs, the scores, the time' },
      { line: 'tuneloom runs --sort exact_match -n 3', does: 'the three best' },
      { line: "tuneloom runs --where 'epochs>2'", does: 'runs with such a param' },
      { line: 'tuneloom runs latest', does: 'what the last run did, stage by stage' },
      { line: 'tuneloom runs lora.yaml --md', does: 'the runs of one pipeline, for a report' },
    ],
    load: async () => (await import('../runs/runs.ts')).runsCommand,
  },
  {
    name: 'diff',
    usage: '[file] [run] [run]',
    mostWords: 3,
    summary: 'Compare two runs: params, fields, metrics and answers',
    options: [
      new Option('-n, --limit <number>', 'how many answers of each stage to show')
        .argParser(wholeNumber(0))
        .default(5),
      storeOption,
      jsonOption,
    ],
    examples: [
      { line: 'tuneloom diff', does: 'the last two runs that succeeded' },
      { line: 'tuneloom diff 2026-03-01T10 latest', does: 'two runs, by the beginning of their ids' },
      { line: 'tuneloom diff pipelines/judge.yaml 4fa1b2', does: 'a run and the last one of its pipeline' },
    ],
    load: async () => (await import('../diff/diff.ts')).diffCommand,
  },
  {
    name: 'plot',
    usage: '[file] <history|sweep|scores> [run...]',
    summary: 'Draw the losses, the sweep or the scores of runs',
    options: [
      new Option(
        '--format <format>',
        'how to draw it (default: svg; of a file, what its name ends in)',
      ).choices(['svg', 'vega-lite']),
      new Option('-o, --output <file>', 'write it to this file instead of standard output'),
      storeOption,
      jsonOption,
    ],
    examples: [
      { line: 'tuneloom plot history -o losses.svg', does: 'the losses of the last training' },
      { line: 'tuneloom plot history 4fa1b2 latest -o losses.svg', does: 'two runs in one plot' },
      { line: 'tuneloom plot sweep -o sweep.svg', does: 'params and scores as parallel coordinates' },
      { line: 'tuneloom plot scores -o scores.json', does: 'a Vega-Lite specification' },
    ],
    load: async () => (await import('../plot/plot.ts')).plotCommand,
  },
  {
    name: 'report',
    usage: '[file] [run...]',
    summary: 'Write what runs did, and what came of it, as one HTML file or as Markdown',
    options: [
      new Option(
        '-o, --output <file>',
        'the file to write (default: report.html; Markdown is printed)',
      ).conflicts('json'),
      new Option('--format <format>', 'how to write it (default: by the name of the file)')
        .choices(['html', 'md'])
        .conflicts('json'),
      storeOption,
      jsonOption,
    ],
    examples: [
      { line: 'tuneloom report', does: 'the last run, in report.html' },
      { line: 'tuneloom report 4fa1b2 latest -o tuned.html', does: 'two runs compared' },
      { line: 'tuneloom report --format md >> $GITHUB_STEP_SUMMARY', does: "for a CI job's summary" },
    ],
    load: async () => (await import('../report/report.ts')).reportCommand,
  },
];
