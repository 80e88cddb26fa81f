import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import type { Dag } from '../../../src/runtime/graph/dag.ts';
import { openStore, type Store } from '../../../src/runtime/store/store.ts';
import { edited, editedFile } from './edited.ts';
import { anyEdit, type Edit } from './edits.ts';
import type { Death } from './kill-run.ts';
import { loadWritten } from './load-written.ts';
import { type Foreseen, type Material, NaiveModel } from './naive-model.ts';
import { type PlainStages, plainStages } from './plain-stages.ts';
import { type Project, startWith } from './project.ts';
import { writeYaml, type YamlFiles } from './write-yaml.ts';

/** An edit, and how the pipeline is run after it. */
export interface Step {
  readonly edit: Edit;
  readonly jobs: number;
  /** Chooses the only stage to run to, one time in some. */
  readonly target: number | undefined;
  readonly force: number | undefined;
  /** How a first run dies, one time in some; the run that is checked comes after it. */
  readonly death: Death | undefined;
}

export interface Walk {
  readonly start: readonly string[];
  readonly steps: readonly Step[];
}

const seldom = <T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const anyDeath: fc.Arbitrary<Death> = fc.oneof(
  fc.record({ kind: fc.constantFrom('before', 'within'), operation: fc.integer({ min: 1, max: 150 }) }),
  fc.record({ kind: fc.constant('after'), milliseconds: fc.nat({ max: 60 }) }),
);

export const anyWalk: fc.Arbitrary<Walk> = fc.record({
  start: fc.constantFrom(
    ['read', 'append', './part.yaml', 'cut', 'count', 'revise', 'meddle', 'join'],
    ['load', './own', 'format', './deep/part.yaml', 'split', 'tokenize', 'gather', 'revise'],
    ['gather', 'cut', 'append', './part.yaml', 'pack', 'unpack', './part.yaml', 'load', 'split'],
  ),
  steps: fc.array(
    fc.record({
      edit: anyEdit,
      jobs: fc.integer({ min: 1, max: 4 }),
      target: seldom(fc.nat({ max: 59 }), 9),
      force: seldom(fc.nat({ max: 59 }), 9),
      death: seldom(anyDeath, 20),
    }),
    { maxLength: 20, size: 'max' },
  ),
});

/** What the checks of one step look at. */
export interface Situation {
  readonly project: Project;
  /** The same, with everything written out. */
  readonly plain: PlainStages;
  readonly folder: string;
  readonly yaml: YamlFiles;
  readonly dag: Dag;
  /** As a new process would open it. */
  readonly open: () => Store;
  readonly targets: readonly string[];
  readonly force: readonly string[];
  readonly jobs: number;
  readonly death: Death | undefined;
  readonly foreseen: ReadonlyMap<string, Foreseen>;
  /** What a stage of this pipeline was when it last had a result, as far as that can still be found. */
  readonly past: (id: string) => Material | undefined;
}

interface Past {
  readonly material: Material;
  readonly step: number;
}

/** The nearest past run is looked for among the last fifty, and a step makes two. */
const stepsRemembered = 22;

export const firstStep: Step = {
  edit: { do: 'nothing' },
  jobs: 2,
  target: undefined,
  force: undefined,
  death: undefined,
};

/** Takes a walk in its own folder; `check` runs the pipeline and compares everything with the prediction. */
export async function goWalk({ start, steps }: Walk, check: (at: Situation) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(await fastFolder(), 'tuneloom-walk-'));
  try {
    const model = new NaiveModel();
    const past = new Map<string, Past>();
    let project = startWith(start);
    for (const [path, text] of Object.entries(project.files)) await write(join(folder, path), text);
    for (const [number, step] of [firstStep, ...steps].entries()) {
      const { edit } = step;
      project = edited(project, edit);
      if (edit.do === 'file' || edit.do === 'own stage') await writeEdited(project, { folder, edit });
      const remembered = (id: string): Material | undefined => {
        const found = past.get(`${project.name} ${id}`);
        return found !== undefined && number - found.step <= stepsRemembered ? found.material : undefined;
      };
      const at = await situationOf(step, { project, folder, model, past: remembered });
      await check(at);
      for (const [id, { material, outputs }] of at.foreseen) {
        if (material !== undefined && outputs !== undefined)
          past.set(`${project.name} ${id}`, { material, step: number });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function situationOf(
  { jobs, target, force, death }: Step,
  at: Pick<Situation, 'project' | 'folder' | 'past'> & { readonly model: NaiveModel },
): Promise<Situation> {
  const { project, folder, model, past } = at;
  const yaml = writeYaml(project);
  for (const [path, text] of Object.entries(yaml.texts)) await writeIfOther(join(folder, path), text);
  const dag = await loadWritten(project, folder);
  const plain = plainStages(project, dag);
  const ids = plain.project.stages.map(({ id }) => id);
  const chosen = (pick: number | undefined): readonly string[] =>
    pick === undefined || death !== undefined ? [] : [ids[pick % ids.length] ?? ''];
  const [targets, forced] = [chosen(target), chosen(force)];
  const stages = new Set(
    targets.length === 0 ? ids : targets.flatMap((id) => [...needed(plain.project, id)]),
  );
  return {
    ...{ project, plain, folder, yaml, dag, jobs, death, targets, force: forced, past },
    open: () => openStore(join(folder, 'store')),
    foreseen: await model.foresee(plain.project, { folder, stages, forced: new Set(forced) }),
  };
}

function* needed(project: Project, id: string): Generator<string> {
  yield id;
  const stage = project.stages.find((other) => other.id === id);
  for (const to of Object.values(stage?.from ?? {})) yield* needed(project, to.stage);
}

async function writeEdited(
  project: Project,
  { folder, edit }: { readonly folder: string; readonly edit: Extract<Edit, { do: 'file' | 'own stage' }> },
): Promise<void> {
  const name = editedFile(project, edit);
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

async function writeIfOther(path: string, text: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before !== text) await write(path, text);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** In memory if the system allows it: the laws do not depend on it, but the number of steps per second does. */
async function fastFolder(): Promise<string> {
  const inMemory = '/dev/shm';
  const place = await mkdtemp(join(inMemory, 'tuneloom-')).catch(() => undefined);
  if (place === undefined) return tmpdir();
  await rm(place, { recursive: true });
  return inMemory;
}
