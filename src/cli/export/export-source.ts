import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { isObject } from '../../core/index.ts';
import {
  type Dag,
  type DagNode,
  type Plan,
  type RunRecord,
  readRun,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';
import { openArtifact, planOf } from '../open-artifact.ts';
import type { ExportOptions } from './export-options.ts';

/**
 * Opens the folder or the stage's output that the words name. Undefined if the pipeline has mistakes, which are then
 * printed.
 */
export async function openExportSource(call: CommandCall<ExportOptions>): Promise<ExportSource | undefined> {
  const { words, context } = call;
  const [word, ...others] = words;
  if (word !== undefined && others.length === 0 && /^\.|[/\\]/.test(word) && !/\.ya?ml$/i.test(word))
    return openFolder(word, context);
  const opened = await openArtifact(call, {
    types: ['model'],
    use: 'be exported',
    help: 'name a stage that loads or trains a model',
  });
  if (opened === undefined) return undefined;
  const { path, dag, store, reference, pastRun } = opened;
  const run = pastRun === undefined ? undefined : readRun(store, pastRun);
  return {
    path,
    origin: {
      dag,
      store,
      pastRun: run,
      plan: run ? opened.plan : await planOf({ dag, store }),
      stage: reference.node.id,
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** A model to be exported: a folder, there until it is disposed of. */
export interface ExportSource extends AsyncDisposable {
  readonly path: string;
  /** How it was made; undefined for a folder that the user names. */
  readonly origin?: ExportOrigin;
}

export interface ExportOrigin {
  readonly dag: Dag;
  readonly store: Store;
  /** The run that made the model, if the pipeline has changed since. */
  readonly pastRun: RunRecord | undefined;
  /** What a run would do now; after a change, only for the stage and those that it needs. */
  readonly plan: Plan;
  /** The stage that wrote the model. */
  readonly stage: string;
}

async function openFolder(word: string, { workingDirectory }: CommandContext): Promise<ExportSource> {
  const path = resolve(workingDirectory, word);
  if (
    await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
  )
    return { path, async [Symbol.asyncDispose]() {} };
  throw new UsageError({ message: `there is no folder ${word}`, help: 'a stage is named without a path' });
}

/** The model that a training started from. */
export interface BaseModel {
  /** The stage that loads it. */
  readonly stage?: string;
  /** Its name for people, without its path. */
  readonly shown?: string;
  /** On the Hugging Face hub. */
  readonly repository?: string;
  /** The name of the file or folder that it was loaded from, where other programs do not load it by its repository. */
  readonly file?: string;
  /** From the base's own model card. */
  readonly license?: string;
}

/** What an adapter's configuration names as its base; undefined if that is neither given nor a whole repository on the hub. */
export const adapterBase = ({ repository, file }: BaseModel, { base }: ExportOptions): string | undefined =>
  base ?? (file === undefined ? repository : undefined);

/** Follows the models back to the one that was loaded. */
export async function baseModelOf({ origin }: ExportSource): Promise<BaseModel> {
  const node = origin && loadedBefore(origin.dag, origin.stage);
  if (node === undefined || (origin && hasChanged(node.id, origin))) return {};
  const { model, init } = node.config;
  const stage = node.id;
  if (typeof model !== 'string')
    return { stage, ...(init !== undefined && { shown: 'fresh random weights' }) };
  const [, repository, path] = /^hf:([^@:]+)(?:@[^:]*)?(?::(.+))?$/.exec(model) ?? [];
  if (repository !== undefined)
    return { stage, shown: model, repository, ...(path && { file: basename(path) }) };
  const license = await licenseOf(join(model, 'README.md'));
  const name = basename(model);
  const isFile = /\.gguf$/i.test(name);
  return { stage, shown: name, ...(isFile && { file: name }), ...(license && { license }) };
}

/** Whether the stage has changed since the model was made. */
function hasChanged(stage: string, { plan, pastRun }: ExportOrigin): boolean {
  const [decision, outcome] = [plan.stages.get(stage)?.decision, pastRun?.stages[stage]];
  if (pastRun === undefined) return false;
  const key = decision && 'key' in decision ? decision.key : undefined;
  return key === undefined || outcome === undefined || !('key' in outcome) || outcome.key !== key;
}

function loadedBefore(dag: Dag, stage: string): DagNode | undefined {
  const node = dag.nodes.get(stage);
  if (node === undefined || node.definition.name === 'load') return node;
  const before = Object.values(node.inputs).find(
    (input) => dag.nodes.get(input.stage)?.ports.outputs[input.output]?.type === 'model',
  );
  return before && loadedBefore(dag, before.stage);
}

/** The `license` of a model card's front matter. */
async function licenseOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [, front = ''] = /^---\r?\n([\s\S]{0,20000}?)\r?\n---/.exec(text) ?? [];
  try {
    const said: unknown = parse(front);
    if (!isObject(said)) return undefined;
    return typeof said.license === 'string' && /^[\w.-]+$/.test(said.license) ? said.license : undefined;
  } catch {
    return undefined;
  }
}
