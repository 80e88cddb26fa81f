import { existsSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { jsonText } from '../../../core/index.ts';
import { UsageError } from '../../exit-code.ts';
import { escapeUnsafe, safeLine } from '../../terminal/safe-text.ts';
import { type ImportedPipeline, importedPipeline } from './imported-pipeline.ts';
import type { ImportedRun } from './imported-run.ts';
import { readPeerFile } from './read-peer.ts';
import type { LeftField } from './translation.ts';

/** What `init --from` writes and says. */
export interface Imported {
  readonly program: ImportedRun['program'];
  /** The text of pipeline.yaml. */
  readonly text: string;
  readonly taken: ImportedRun['taken'];
  readonly needless: ImportedRun['needless'];
  readonly left: readonly LeftField[];
}

/** The pipeline for another program's file. `folder`: where it is written. */
export function importFrom(
  file: string,
  { folder, workingDirectory }: { readonly folder: string; readonly workingDirectory: string },
): Imported {
  const path = resolve(workingDirectory, file);
  if (!existsSync(path))
    throw new UsageError({ message: `there is no file ${file}`, help: 'give the path of its YAML file' });
  const run = readPeerFile(path, { bases: [dirname(path), workingDirectory], target: folder });
  const made = importedPipeline(run, nameOf(path));
  const left = [...run.left, ...made.left];
  return {
    program: run.program,
    text: textOf({ run, made, left, file: relative(folder, path) }),
    taken: run.taken,
    needless: run.needless,
    left,
  };
}

function nameOf(path: string): string {
  const name = basename(path)
    .replace(/\.ya?ml$/i, '')
    .replaceAll(/[^\w.-]+/g, '-');
  return /^[A-Za-z0-9]/.test(name) ? name : 'imported';
}

interface Writing {
  readonly run: ImportedRun;
  readonly made: ImportedPipeline;
  readonly left: readonly LeftField[];
  readonly file: string;
}

function textOf({ run, made, left, file }: Writing): string {
  const comments = [`From ${run.program}'s ${file}.`, ...reportLines({ ...run, left })];
  const head = comments.map((line) => `# ${safeLine(line)}\n`).join('');
  const options = {
    lineWidth: 0,
    blockQuote: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    aliasDuplicateObjects: false,
  } as const;
  return `# yaml-language-server: $schema=./pipeline.schema.json\n${head}\n${stringify(made.pipeline, options)}`;
}

/** What became of the fields that did not become one of ours without loss. */
export function reportLines({
  taken,
  left,
  needless,
}: Pick<Imported, 'taken' | 'left' | 'needless'>): readonly string[] {
  const remarks = taken.filter(({ remark }) => remark !== undefined);
  return [
    ...(left.length === 0 ? [] : ['Not taken over, and what to do:']),
    ...left.map((each) => `- ${leftLine(each)}`),
    ...(remarks.length === 0 ? [] : ['Not quite the same:']),
    ...remarks.map(({ field, becomes, remark }) => `- ${field} -> ${becomes}: ${remark}`),
    ...(needless.length === 0 ? [] : [`Nothing to do for ${needless.map(({ field }) => field).join(', ')}.`]),
  ];
}

const mostCharacters = 80;

/** `wandb_project: "x": what to do`. */
function leftLine({ field, value, advice }: LeftField): string {
  const text = escapeUnsafe(jsonText(value));
  const shown = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}...` : text;
  return value === null ? `${field}: ${advice}` : `${field}: ${shown}: ${advice}`;
}
