import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { plainPalette, renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';
import type { Dag } from '../../../src/runtime/graph/dag.ts';
import { loadPipeline } from '../../../src/runtime/graph/load-pipeline.ts';
import { openStore, type Store } from '../../../src/runtime/store/store.ts';
import { anyEdit, type Edit, edited } from './edits.ts';
import { lawRegistry } from './law-stages.ts';
import { type Foreseen, type Material, NaiveModel } from './naive-model.ts';
import { type Project, startWith } from './project.ts';
import { writeYaml, type YamlFile } from './write-yaml.ts';

/** An edit, and how the pipeline is run after it. */
export interface Step {
  readonly edit: Edit;
  readonly jobs: number;
  /** Chooses the only stage to run to, one time in some. */
  readonly target: number | undefined;
  readonly force: number | undefined;
}

export interface Walk {
  readonly start: readonly string[];
  readonly steps: readonly Step[];
}

const seldom: fc.Arbitrary<number | undefined> = fc.oneof(
  { weight: 7, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.nat({ max: 59 }) },
);

export const anyWalk: fc.Arbitrary<Walk> = fc.record({
  start: fc.constantFrom(
    ['read', 'append', 'cut', 'count', 'revise', 'join'],
    ['load', 'format', 'split', 'tokenize', 'gather', 'revise'],
    ['gather', 'cut', 'append', 'pack', 'unpack', 'load', 'split'],
  ),
  steps: fc.array(
    fc.record({ edit: anyEdit, jobs: fc.integer({ min: 1, max: 4 }), target: seldom, force: seldom }),
    { maxLength: 24, size: 'max' },
  ),
});

/** What the checks of one step look at. */
export interface Situation {
  readonly project: Project;
  readonly folder: string;
  readonly yaml: YamlFile;
  readonly dag: Dag;
  /** As a new process would open it. */
  readonly open: () => Store;
  readonly targets: readonly string[];
  readonly force: readonly string[];
  readonly jobs: number;
  readonly foreseen: ReadonlyMap<string, Foreseen>;
  /** What a stage of this pipeline was when it last had a result. */
  readonly past: (id: string) => Material | undefined;
}

/** Goes a walk in a folder of its own; `check` runs the pipeline and looks whether all is as foreseen. */
export async function goWalk({ start, steps }: Walk, check: (at: Situation) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(await fastFolder(), 'retune-walk-'));
  try {
    const model = new NaiveModel();
    const past = new Map<string, Material>();
    let project = startWith(start);
    for (const [path, text] of Object.entries(project.files)) await write(join(folder, path), text);
    for (const step of [
      { edit: { do: 'nothing' }, jobs: 2, target: undefined, force: undefined } as const,
      ...steps,
    ]) {
      project = edited(project, step.edit);
      if (step.edit.do === 'file') await writeEdited(project, { folder, edit: step.edit });
      const at = await situationOf(step, { project, folder, model, past });
      await check(at);
      for (const [id, { material, outputs }] of at.foreseen) {
        if (material !== undefined && outputs !== undefined) past.set(`${project.name} ${id}`, material);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function situationOf(
  { jobs, target, force }: Step,
  at: {
    readonly project: Project;
    readonly folder: string;
    readonly model: NaiveModel;
    readonly past: ReadonlyMap<string, Material>;
  },
): Promise<Situation> {
  const { project, folder, model, past } = at;
  const ids = project.stages.map(({ id }) => id);
  const chosen = (pick: number | undefined): readonly string[] =>
    pick === undefined ? [] : [ids[pick % ids.length] ?? ''];
  const yaml = writeYaml(project);
  await write(join(folder, 'walk.yaml'), yaml.text);
  const [targets, force_] = [chosen(target), chosen(force)];
  const stages = new Set(targets.length === 0 ? ids : targets.flatMap((id) => [...needed(project, id)]));
  return {
    project,
    folder,
    yaml,
    dag: await load({ project, folder }),
    open: () => openStore(join(folder, 'store')),
    targets,
    force: force_,
    jobs,
    foreseen: await model.foresee(project, { folder, stages, forced: new Set(force_) }),
    past: (id) => past.get(`${project.name} ${id}`),
  };
}

function* needed(project: Project, id: string): Generator<string> {
  yield id;
  const stage = project.stages.find((other) => other.id === id);
  for (const to of Object.values(stage?.from ?? {})) yield* needed(project, to.stage);
}

async function load({ project, folder }: Pick<Situation, 'project' | 'folder'>): Promise<Dag> {
  const loaded = await loadPipeline({
    file: 'walk.yaml',
    registry: lawRegistry,
    workingDirectory: folder,
    params: Object.entries(project.overrides).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    sets: [],
  });
  if (!loaded.ok) throw new Error(renderDiagnostics(loaded.error, plainPalette));
  return loaded.value;
}

async function writeEdited(
  project: Project,
  { folder, edit }: { readonly folder: string; readonly edit: Extract<Edit, { do: 'file' }> },
): Promise<void> {
  const names = Object.keys(project.files);
  const name = names[edit.file % names.length] ?? '';
  const path = join(folder, name);
  const text = project.files[name] ?? '';
  if (edit.how === 'replaced') {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  } else {
    await write(path, text);
  }
  if (edit.how === 'at an old time') await utimes(path, new Date(0), new Date(0));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** In memory where the system has such a place: the laws do not depend on it, and the number of steps a second does. */
async function fastFolder(): Promise<string> {
  const inMemory = '/dev/shm';
  const place = await mkdtemp(join(inMemory, 'retune-')).catch(() => undefined);
  if (place === undefined) return tmpdir();
  await rm(place, { recursive: true });
  return inMemory;
}
