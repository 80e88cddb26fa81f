import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { RunOptions, RunResult } from '../../../src/runtime/execute/run-context.ts';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import type { Dag } from '../../../src/runtime/graph/dag.ts';
import type { Digest } from '../../../src/runtime/key/digest.ts';
import type { Decision } from '../../../src/runtime/plan/decide.ts';
import { describeReason } from '../../../src/runtime/plan/describe-reason.ts';
import { planPipeline } from '../../../src/runtime/plan/plan-pipeline.ts';
import type { RunEvent } from '../../../src/runtime/stage/run-event.ts';
import { openStore, type Store } from '../../../src/runtime/store/store.ts';
import { blobPath } from '../../../src/runtime/store/store-layout.ts';
import { type TinyPipeline, tinyDag } from './tiny-dag.ts';

type Stages = TinyPipeline['stages'];

/** A project in its own folder, with a store that lasts as long as the rig. */
export interface RunRig extends AsyncDisposable {
  readonly folder: string;
  readonly storeRoot: string;
  /** Every event of the runs so far. */
  readonly events: readonly RunEvent[];
  /** As a new process would open it. */
  readonly open: () => Store;
  readonly write: (path: string, text: string) => Promise<string>;
  readonly dag: (stages: Stages, more?: Partial<TinyPipeline>) => Dag;
  readonly run: (dag: Dag, more?: Partial<RunOptions>) => Promise<RunResult>;
  /** Stage -> `reuse`, the reason to run, or what it waits for. */
  readonly plan: (dag: Dag) => Promise<Readonly<Record<string, string>>>;
  /** What a stage wrote to an output without parts. */
  readonly text: (result: RunResult, stage: string) => Promise<string>;
}

export async function openRig(): Promise<RunRig> {
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-run-'));
  const storeRoot = join(folder, 'store');
  const events: RunEvent[] = [];
  const open = (): Store => openStore(storeRoot);
  return {
    folder,
    storeRoot,
    events,
    open,
    async write(path, text) {
      await writeFile(join(folder, path), text);
      return join(folder, path);
    },
    dag: (stages, more) => tinyDag({ file: join(folder, 'tiny.yaml'), stages, ...more }),
    async run(dag, more) {
      const onEvent = (event: RunEvent): void => void events.push(event);
      const result = await runPipeline({
        dag,
        store: open(),
        stageProcess: await stageProcess(),
        onEvent,
        ...more,
      });
      if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
      return result.value;
    },
    async plan(dag) {
      const plan = await planPipeline({ dag, store: open() });
      if (!plan.ok) throw new Error(plan.error.map(({ message }) => message).join('\n'));
      return Object.fromEntries([...plan.value.stages].map(([id, { decision }]) => [id, describe(decision)]));
    },
    async text(result, stage) {
      const outcome = result.stages.get(stage);
      const digest = outcome !== undefined && 'outputs' in outcome ? outcome.outputs.text : undefined;
      if (typeof digest !== 'string') throw new Error(`${stage} has no text`);
      return readFile(join(storeRoot, blobPath(digest as Digest)), 'utf8');
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function describe(decision: Decision): string {
  switch (decision.kind) {
    case 'reuse':
      return 'reuse';
    case 'run':
      return describeReason(decision.reason);
    case 'undecided':
      return `waits for ${decision.waitsFor.join(', ')}`;
    default:
      return decision satisfies never;
  }
}

/** Stage -> its decision. */
export const decisions = (result: RunResult): Readonly<Record<string, string>> =>
  Object.fromEntries([...result.stages].map(([id, { decision }]) => [id, decision]));

/** Stage -> its outputs' digests. */
export const outputsOf = (result: RunResult): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...result.stages].map(([id, outcome]) => [id, 'outputs' in outcome ? outcome.outputs : null]),
  );

/** The tiny stages' process, bundled once for each test file. */
export const stageProcess = (): Promise<string> => bundle('stage-process.ts');

const bundles = new Map<string, Promise<string>>();

/** Bundles a TypeScript file of this folder for Node. */
export function bundle(entry: string): Promise<string> {
  const known = bundles.get(entry) ?? bundleOnce(entry);
  bundles.set(entry, known);
  return known;
}

async function bundleOnce(entry: string): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  const outfile = join(
    await mkdtemp(join(process.env.TUNELOOM_TEST_BUNDLES ?? tmpdir(), 'tuneloom-process-')),
    'process.mjs',
  );
  await build({
    entryPoints: [join(here, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // CommonJS packages in the bundle need `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}

/** Waits until the file system's clock has stepped past a file's last change, from when on the stat cache keeps it. */
export async function untilSettled(path: string): Promise<void> {
  const { ctimeMs } = await stat(path);
  while (Date.now() - ctimeMs <= 21) await sleep(1);
}
