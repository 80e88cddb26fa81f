import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../../src/core/result.ts';
import type { Diagnostic } from '../../../src/runtime/diagnostic/diagnostic.ts';
import { plainPalette, renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';
import type { Dag } from '../../../src/runtime/graph/dag.ts';
import { loadPipeline } from '../../../src/runtime/graph/load-pipeline.ts';
import type { StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';
import { exampleStages } from './example-stages.ts';

interface Example {
  readonly params?: readonly string[];
  readonly sets?: readonly string[];
  readonly registry?: StageRegistry;
}

/** A folder with a pipeline in `pipelines/`, data in `data/`, and `elsewhere/` to work in. */
export class ExampleFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(): Promise<ExampleFolder> {
    const path = await mkdtemp(join(tmpdir(), 'tuneloom-example-'));
    for (const folder of ['pipelines', 'data', 'elsewhere/data'])
      await mkdir(join(path, folder), { recursive: true });
    for (const file of ['data/rows.json', 'elsewhere/data/rows.json'])
      await writeFile(join(path, file), '[]');
    return new ExampleFolder(path);
  }

  async load(
    yaml: string,
    { params = [], sets = [], registry = exampleStages }: Example = {},
  ): Promise<Result<Dag, readonly Diagnostic[]>> {
    await writeFile(join(this.path, 'pipelines/example.yaml'), yaml);
    const workingDirectory = join(this.path, 'elsewhere');
    return loadPipeline({ file: '../pipelines/example.yaml', registry, workingDirectory, params, sets });
  }

  /** The graph of a pipeline that has no mistake. */
  async dag(yaml: string, example?: Example): Promise<Dag> {
    const loaded = await this.load(yaml, example);
    if (!loaded.ok) throw new Error(renderDiagnostics(loaded.error, plainPalette));
    return loaded.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

/** A graph's content, without places in the file and without this folder's name. */
export function plainDag(dag: Dag, folder: string): unknown {
  const { name, params, overridden, tryNext, nodes } = dag;
  const rest = { name, params, overridden, tryNext };
  const plain = [...nodes.values()].map(
    ({ id, config, inputs, outputParts, sources, timeoutMs, retries, resources }) => ({
      id,
      config,
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([port, { span: _span, ...binding }]) => [port, binding]),
      ),
      outputParts,
      sources: sources.map(({ pointer, path }) => ({ pointer, path })),
      timeoutMs,
      retries,
      resources,
    }),
  );
  return JSON.parse(JSON.stringify({ ...rest, nodes: plain }).replaceAll(folder, ''));
}
