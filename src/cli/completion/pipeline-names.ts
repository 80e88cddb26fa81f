import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { isObject, own } from '../../core/index.ts';
import { stageRegistry } from '../../stages/index.ts';

/** A word that completes a command line. */
export interface Candidate {
  /** Ends in `=` if more follows; `:files` stands for the names of files. */
  readonly value: string;
  readonly description?: string;
}

interface PipelineNames {
  /** Pipeline files of the folder and of `pipelines/`, as a user types them. */
  readonly files: readonly string[];
  /** Stages, then their outputs and parts: `split`, `split.test`, `train.history`. */
  readonly stages: readonly Candidate[];
  readonly params: readonly { readonly name: string; readonly value: string }[];
}

/**
 * The names that a pipeline file and those that it extends declare, without checking them: a file with mistakes completes
 * too. Without a file they are those of the only pipeline of the folder, or of its pipeline.yaml.
 */
export async function readNames({
  file,
  workingDirectory,
}: {
  readonly file: string | undefined;
  readonly workingDirectory: string;
}): Promise<PipelineNames> {
  const files = (
    await Promise.all(['', 'pipelines'].map((folder) => pipelinesIn(workingDirectory, folder)))
  ).flat();
  const usual = files.find((name) => /^pipeline\.ya?ml$/.test(name));
  const chosen = file ?? usual ?? (files.length === 1 ? files[0] : undefined);
  const layers = chosen === undefined ? [] : await layersOf(resolve(workingDirectory, chosen));
  const merged = (field: string): Readonly<Record<string, unknown>> =>
    Object.assign({}, ...layers.map((layer) => (isObject(layer[field]) ? layer[field] : {})));
  return {
    files,
    stages: Object.entries(merged('stages')).flatMap(([id, stage]) => [
      { value: id, description: usesOf(id, stage) },
      ...partsOf(id, stage),
    ]),
    params: Object.entries(merged('params')).map(([name, value]) => ({
      name,
      value: JSON.stringify(value) ?? '',
    })),
  };
}

async function pipelinesIn(workingDirectory: string, folder: string): Promise<readonly string[]> {
  const names = await readdir(join(workingDirectory, folder)).catch((): string[] => []);
  return names
    .filter((name) => /\.ya?ml$/i.test(name) && !/\.lock\.ya?ml$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

const MOST_LAYERS = 20;

/** A file's content, after that of the files that it extends. */
async function layersOf(path: string, depth = 0): Promise<readonly Readonly<Record<string, unknown>>[]> {
  if (depth === MOST_LAYERS) return [];
  const text = await readFile(path, 'utf8').catch(() => '');
  const value: unknown = parseDocument(text, { logLevel: 'silent' }).toJS({ maxAliasCount: 100 });
  if (!isObject(value)) return [];
  const base = own(value, 'extends');
  const below = typeof base === 'string' ? await layersOf(resolve(dirname(path), base), depth + 1) : [];
  return [...below, value];
}

const usesOf = (id: string, stage: unknown): string => {
  const uses = isObject(stage) ? own(stage, 'uses') : undefined;
  return typeof uses === 'string' ? uses : id;
};

/** The outputs of a built-in stage, and the parts of a split. */
function partsOf(id: string, stage: unknown): readonly Candidate[] {
  const config = isObject(stage) ? own(stage, 'with') : undefined;
  const parts = isObject(config) ? own(config, 'parts') : undefined;
  const named = Array.isArray(parts)
    ? parts.flatMap((part) => (isObject(part) ? Object.keys(part) : []))
    : [];
  const outputs = outputsOf(usesOf(id, stage), config);
  return [...(outputs.length > 1 ? outputs : []), ...named].map((name) => ({ value: `${id}.${name}` }));
}

function outputsOf(uses: string, config: unknown): readonly string[] {
  try {
    // Nothing of the configuration has been checked.
    const ports = stageRegistry.get(uses)?.ports((isObject(config) ? config : {}) as never);
    return Object.keys(ports?.outputs ?? {});
  } catch {
    return [];
  }
}
