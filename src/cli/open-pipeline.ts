import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { sourceResolvers } from '../remote/index.ts';
import {
  type Diagnostic,
  diagnosticsToJson,
  fewOf,
  type LoadedDag,
  loadPipeline,
  lockedDigests,
  renderDiagnostics,
} from '../runtime/index.ts';
import { stageRegistry } from '../stages/index.ts';
import type { CommandCall } from './commands/command-declaration.ts';
import type { PipelineOptions } from './commands/options.ts';
import { type ExitCode, exitCode, UsageError } from './exit-code.ts';
import { safeLine } from './terminal/safe-text.ts';
import type { Terminal } from './terminal/terminal.ts';

interface PipelineCall extends CommandCall<Pick<PipelineOptions, 'param' | 'set' | 'json'>> {
  /** How many names the command takes. */
  readonly names: 'none' | 'one' | 'any';
  /** Told the absolute path of every file and local source that the pipeline names. */
  readonly onRead?: (path: string) => void;
}

/**
 * Finds and checks the pipeline of a command line, and returns it with the names after the file: stages or references.
 * Undefined if the pipeline has mistakes, which are then printed.
 */
export async function openPipeline(
  call: PipelineCall,
): Promise<{ readonly dag: LoadedDag; readonly names: readonly string[] } | undefined> {
  const { words, options, context } = call;
  const { file, names } = splitWords(words);
  checkCount(names, call.names);
  const { workingDirectory, terminal } = context;
  const found = file ?? (await findPipeline(workingDirectory));
  const locked = lockedDigests(resolve(workingDirectory, found));
  const absent = new Set<string>();
  const loaded = await loadPipeline({
    file: found,
    registry: stageRegistry,
    resolvers: sourceResolvers(context.environment),
    workingDirectory: context.workingDirectory,
    mayBeAbsent: (path) => {
      const isKnown = locked(path) !== undefined;
      if (isKnown) absent.add(path);
      return isKnown;
    },
    params: options.param ?? [],
    sets: options.set ?? [],
    ...(call.onRead && { onRead: call.onRead }),
  });
  if (loaded.ok) {
    for (const path of absent)
      terminal.complain(
        `note: there is no ${safeLine(relative(workingDirectory, path))}; the lock says what it held`,
      );
    return { dag: loaded.value, names };
  }
  reportMistakes(loaded.error, { terminal: context.terminal, json: options.json });
  return undefined;
}

function checkCount(names: readonly string[], wanted: PipelineCall['names']): void {
  if (wanted === 'none' && names[0] !== undefined) {
    throw new UsageError({
      message: `unexpected argument \`${names[0]}\``,
      help: 'a pipeline file ends in .yaml or .yml',
    });
  }
  if (wanted === 'one' && names.length !== 1) {
    const message = names.length === 0 ? 'a stage is missing' : `it takes one stage, not ${names.length}`;
    throw new UsageError({ message, help: 'name one stage of the pipeline, such as `train`' });
  }
}

const FOLDERS = ['', 'pipelines'];

/**
 * The pipeline of a folder, as a relative path: `pipeline.yaml`, else the only YAML file with `stages:` or `extends:` there
 * and in `pipelines/`.
 */
async function findPipeline(workingDirectory: string): Promise<string> {
  const found = (await Promise.all(FOLDERS.map((folder) => pipelinesIn(workingDirectory, folder)))).flat();
  const [only, another] = found;
  if (only === undefined) {
    throw new UsageError({
      message: 'there is no pipeline in this folder or in its `pipelines/`',
      help: 'name a file, as in `tuneloom run path/to/pipeline.yaml`, or write a first pipeline with `tuneloom init`',
    });
  }
  if (another !== undefined) {
    const usual = found.filter((path) => /^pipeline\.ya?ml$/i.test(path));
    if (usual[0] !== undefined && usual.length === 1) return usual[0];
    throw new UsageError({
      message: `there are several pipelines here: ${fewOf(found, 'and')}`,
      help: `name one of them first, as in \`tuneloom run ${only}\``,
    });
  }
  return only;
}

async function pipelinesIn(workingDirectory: string, folder: string): Promise<readonly string[]> {
  const names = (await namesIn(join(workingDirectory, folder))).filter(
    (name) => /\.ya?ml$/i.test(name) && !/\.lock\.ya?ml$/i.test(name),
  );
  const paths = names.sort().map((name) => join(folder, name));
  const texts = await Promise.all(paths.map((path) => textOf(join(workingDirectory, path))));
  return paths.filter((_, index) => /^(stages|extends)\s*:/m.test(texts[index] ?? ''));
}

const namesIn = (folder: string) => readdir(folder).catch((): string[] => []);
const textOf = (path: string) => readFile(path, 'utf8').catch(() => '');

/** The words of a command that needs a pipeline file only to find its store: the file must exist, no more. */
export function namedFile({
  words,
  context,
  mostNames,
}: Pick<CommandCall<never>, 'words' | 'context'> & {
  /** How many words may follow the file. */
  readonly mostNames: number;
}): PipelineWords {
  const split = splitWords(words);
  const { file, names } = split;
  if (names.length > mostNames)
    throw new UsageError({
      message: `unexpected argument \`${names[mostNames]}\``,
      help: 'a pipeline file ends in .yaml or .yml, and comes first',
    });
  if (file !== undefined && !existsSync(resolve(context.workingDirectory, file)))
    throw new UsageError({ message: `there is no file \`${file}\`` });
  return split;
}

interface PipelineWords {
  /** As typed; undefined if the command line names no file. */
  readonly file: string | undefined;
  /** Stages or references, in order. */
  readonly names: readonly string[];
}

/** A first word that ends in .yaml or .yml is the pipeline file; every other word names a stage. */
export function splitWords(words: readonly string[]): PipelineWords {
  const [first, ...rest] = words;
  const names = first !== undefined && isFile(first) ? rest : words;
  const late = names.find(isFile);
  if (late !== undefined) {
    throw new UsageError({
      message: `\`${late}\` is a file, and a stage is expected there`,
      help: 'give one pipeline file, before the stages',
    });
  }
  if (first !== undefined && /\.lock\.ya?ml$/i.test(first)) {
    throw new UsageError({
      message: `\`${first}\` is a lock, not a pipeline`,
      help: `name its pipeline: ${first.replace(/\.lock(?=\.ya?ml$)/i, '')}`,
    });
  }
  return { file: names === words ? undefined : first, names };
}

const isFile = (word: string) => /\.ya?ml$/i.test(word);

/** Codes of diagnostics about content that differs from what was recorded. */
const INTEGRITY: ReadonlySet<string> = new Set(['damaged-lock', 'differs-from-lock', 'untrusted-result']);

/** Prints all diagnostics and returns the exit code. */
export function reportMistakes(
  diagnostics: readonly Diagnostic[],
  { terminal, json }: { terminal: Terminal; json: boolean | undefined },
): ExitCode {
  const { bold, red, cyan, dim } = terminal.colors;
  const palette = { place: bold, error: red, frame: dim, help: cyan };
  if (json) terminal.print(JSON.stringify({ errors: diagnosticsToJson(diagnostics) }));
  else terminal.complain(renderDiagnostics(diagnostics, palette).trimEnd());
  return diagnostics.some(({ code }) => INTEGRITY.has(code)) ? exitCode.integrity : exitCode.badUsage;
}
