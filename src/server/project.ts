import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { Result } from '../core/index.ts';
import {
  type Dag,
  type Diagnostic,
  diagnosticsToJson,
  listRuns,
  type RunRecord,
  readRun,
  recordedPath,
  type Store,
} from '../runtime/index.ts';
import { notFound } from './answers.ts';

/** What the server is given of the program around it. */
export interface ProjectOptions {
  /** Absolute: the pipelines below it, up to two folders deep, belong to the project. */
  readonly folder: string;
  readonly store: Store;
  /** Absolute path of a pipeline named on the command line, which may be anywhere. */
  readonly pipeline?: string | undefined;
  readonly load: (file: string) => Promise<Result<Dag, readonly Diagnostic[]>>;
}

/** A pipeline file as the pages show it. */
export interface PipelineSummary {
  /** From the project's folder; the pipeline's name in addresses. */
  readonly file: string;
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly stages: readonly string[];
  /** What keeps it from running. */
  readonly problems: readonly string[];
}

/** The project's pipelines and runs. The store may hold runs of other projects, which are not shown and not stopped. */
export class Project {
  readonly folder: string;
  readonly store: Store;
  readonly #options: ProjectOptions;
  readonly #loaded = new Map<
    string,
    { readonly stamp: string; readonly dag: Result<Dag, readonly Diagnostic[]> }
  >();

  constructor(options: ProjectOptions) {
    this.folder = options.folder;
    this.store = options.store;
    this.#options = options;
  }

  async pipelines(): Promise<readonly PipelineSummary[]> {
    const files = await this.#files();
    return Promise.all(
      files.map(async (path): Promise<PipelineSummary> => {
        const file = this.#nameOf(path);
        const dag = await this.#load(path);
        if (dag.ok) {
          const { name, params, nodes } = dag.value;
          return { file, name, params, stages: [...nodes.keys()], problems: [] };
        }
        const problems = diagnosticsToJson(dag.error).map(({ message }) => String(message));
        return { file, name: file, params: {}, stages: [], problems };
      }),
    );
  }

  /** The absolute path of a pipeline of the project. Throws a UserError for any other name: it is never just joined. */
  async pathOf(file: string): Promise<string> {
    const path = (await this.#files()).find((one) => this.#nameOf(one) === file);
    if (path === undefined) throw notFound(`pipeline ${JSON.stringify(file)} in this project`);
    return path;
  }

  /** The graph of a run's pipeline as it is now; undefined if it has gone or has mistakes. */
  async dagOf(run: RunRecord): Promise<Dag | undefined> {
    const path = (await this.#files()).find((one) => recordedPath(this.store, one) === run.file);
    const dag = path === undefined ? undefined : await this.#load(path);
    return dag?.ok && dag.value.name === run.pipeline ? dag.value : undefined;
  }

  /** The pipeline file of a run, absolute. Throws a UserError if it has gone: what people judge is kept beside it. */
  async fileOf(run: RunRecord): Promise<string> {
    const path = (await this.#files()).find((one) => recordedPath(this.store, one) === run.file);
    if (path === undefined) throw notFound(`pipeline ${run.file} in this project any longer`);
    return path;
  }

  /** A pipeline's name in the pages, by the file in a run's record; undefined for one that has gone. */
  async namesByRecord(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#files()).map((path) => [recordedPath(this.store, path), this.#nameOf(path)]));
  }

  /** The latest runs of the project's pipelines. */
  async runs(limit: number): Promise<readonly RunRecord[]> {
    const known = await this.namesByRecord();
    const found: RunRecord[] = [];
    for (const run of listRuns(this.store)) {
      if (!known.has(run.file)) continue;
      found.push(run);
      if (found.length === limit) break;
    }
    return found;
  }

  async run(id: string): Promise<RunRecord> {
    const run = readRun(this.store, id);
    if (run === undefined || !(await this.namesByRecord()).has(run.file)) throw notFound(`run ${id}`);
    return run;
  }

  #nameOf(path: string): string {
    return relative(this.folder, path).split(sep).join('/');
  }

  async #files(): Promise<readonly string[]> {
    const found = await pipelinesBelow(this.folder, 2);
    const { pipeline } = this.#options;
    return [...new Set([...(pipeline === undefined ? [] : [resolve(pipeline)]), ...found])];
  }

  /** Loads a pipeline again when its file, or another YAML file beside it, has changed. */
  async #load(path: string): Promise<Result<Dag, readonly Diagnostic[]>> {
    const stamp = await stampOf(dirname(path));
    const kept = this.#loaded.get(path);
    if (kept?.stamp === stamp) return kept.dag;
    const dag = await this.#options.load(path);
    this.#loaded.set(path, { stamp, dag });
    return dag;
  }
}

const isYaml = (name: string): boolean => /\.ya?ml$/i.test(name) && !/\.lock\.ya?ml$/i.test(name);

/** Files with `stages:` or `extends:`, without hidden folders, packages and results. */
async function pipelinesBelow(folder: string, depth: number): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sorted = entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of sorted) {
    const path = join(folder, entry.name);
    if (entry.isFile() && isYaml(entry.name)) {
      const text = await readFile(path, 'utf8').catch(() => '');
      if (/^(stages|extends)\s*:/m.test(text)) found.push(path);
    }
  }
  if (depth > 0)
    for (const entry of sorted)
      if (entry.isDirectory() && !/^(\.|node_modules$|artifacts$|dist$)/.test(entry.name))
        found.push(...(await pipelinesBelow(join(folder, entry.name), depth - 1)));
  return found;
}

async function stampOf(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    ['.yaml', '.yml'].includes(extname(name)),
  );
  const stats = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return JSON.stringify(names.map((name, index) => [name, stats[index]?.mtimeMs, stats[index]?.size]));
}
