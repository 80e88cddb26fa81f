import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunResult } from '../../../src/runtime/execute/run-context.ts';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { planPipeline } from '../../../src/runtime/plan/plan-pipeline.ts';
import { openStore, type Store } from '../../../src/runtime/store/store.ts';
import { checkExplanations } from './check-explanations.ts';
import type { Content } from './content.ts';
import type { Death, KilledRuns } from './kill-run.ts';
import { commandLineOf } from './load-written.ts';
import { must } from './must.ts';
import { nameOf } from './naive-model.ts';
import type { Situation } from './walk.ts';

/** Plans, explains and runs the present pipeline and compares everything with the prediction. Returns whether a run was killed. */
export async function checkStep(at: Situation, runs: KilledRuns): Promise<boolean> {
  const killed = at.death === undefined ? undefined : await runAndKill(at, { death: at.death, runs });
  if (killed === undefined) {
    const before = filesBelow(at.folder);
    await checkPlan(at);
    await checkExplanations(at);
    expect(filesBelow(at.folder)).toEqual(before);
  }
  const result = await run(at, at.open());
  checkOutcomes(at, { result, ...killed });
  await checkFresh(at, result);
  if (result.outcome === 'succeeded') await checkAgain(at, result);
  return killed?.died === true;
}

interface KilledRun {
  readonly died: boolean;
  /** By key. What was finished is never run again; what was on its way may have been finished. */
  readonly finished: ReadonlySet<string>;
  readonly underWay: ReadonlySet<string>;
}

const keyIn =
  ({ foreseen }: Situation) =>
  (id: string): string =>
    nameOf(foreseen.get(id)?.material ?? id);

/** A run that is killed starts nothing that need not run. */
async function runAndKill(
  at: Situation,
  { death, runs }: { readonly death: Death; readonly runs: KilledRuns },
): Promise<KilledRun> {
  const { project, folder, jobs, foreseen } = at;
  const { killed, events } = await runs.run({ folder, jobs, ...commandLineOf(project) }, death);
  const stagesOf = (type: string): readonly string[] =>
    events.flatMap((event) => (event.type === type && 'stage' in event ? [event.stage] : []));
  const started = stagesOf('stage-started');
  const mayStart = (id: string): boolean => ['ran', 'failed'].includes(foreseen.get(id)?.outcome ?? '');
  expect(started.filter((id) => !mayStart(id))).toEqual([]);
  const finished = new Set(stagesOf('stage-finished').map(keyIn(at)));
  return { died: killed, finished, underWay: new Set(started.map(keyIn(at))) };
}

/** `plan` says what the run will do, as far as that can be known. */
async function checkPlan({ dag, open, targets, force, foreseen }: Situation): Promise<void> {
  const plan = must(await planPipeline({ dag, store: open(), targets, force }));
  const said = [...plan.stages].map(([id, { decision }]) => [
    id,
    decision.kind === 'undecided' ? [...decision.waitsFor].sort() : decision.kind,
  ]);
  const due = [...foreseen].map(([id, { planned }]) => [
    id,
    typeof planned === 'string' ? planned : [...planned].sort(),
  ]);
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(due));
}

async function run(at: Situation, store: Store): Promise<RunResult> {
  const { dag, targets, force, jobs } = at;
  return must(
    await runPipeline({ dag, store, targets, force, jobs, keepGoing: true, stageProcess: 'never started' }),
  );
}

/** Each new key ran once, in any of the stages that share it; everything else is as predicted. */
function checkOutcomes(
  at: Situation,
  { result, finished, underWay }: { readonly result: RunResult } & Partial<KilledRun>,
): void {
  const { foreseen, force } = at;
  const keyOf = keyIn(at);
  const forcedKeys = new Set(force.map(keyOf));
  const isOpen = (id: string): boolean =>
    (forcedKeys.has(keyOf(id)) && !force.includes(id)) ||
    (underWay?.has(keyOf(id)) === true && finished?.has(keyOf(id)) !== true);
  const count = (outcomeOf: (id: string) => string | undefined): readonly string[] =>
    [...foreseen.keys()].map((id) => `${isOpen(id) ? 'either' : outcomeOf(id)} ${keyOf(id)}`).sort();
  expect([...result.stages.keys()].sort()).toEqual([...foreseen.keys()].sort());
  expect(count((id) => result.stages.get(id)?.decision)).toEqual(
    count((id) => (finished?.has(keyOf(id)) ? 'reused' : foreseen.get(id)?.outcome)),
  );
}

/** A run from scratch gives the same digests, and they are those of the bytes that the stages wrote. */
async function checkFresh(at: Situation, result: RunResult): Promise<void> {
  const root = join(at.folder, 'fresh');
  const fresh = await run(at, openStore(root));
  await rm(root, { recursive: true });
  expect(outputsOf(fresh)).toEqual(outputsOf(result));
  for (const [id, outcome] of result.stages) {
    for (const [port, content] of Object.entries('outputs' in outcome ? outcome.outputs : {})) {
      const due = at.foreseen.get(id)?.outputs?.[port];
      if (due?.files === undefined) expect([id, port, content]).toEqual([id, port, due && digestsOf(due)]);
    }
  }
}

function digestsOf({ file, parts }: Content): unknown {
  if (parts === undefined) return digestOf(file ?? '');
  return { parts: Object.fromEntries(Object.entries(parts).map(([part, text]) => [part, digestOf(text)])) };
}

const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text, 'latin1').digest('hex')}`;

/** With the lock that has just been written, the same run does nothing and leaves the lock as it is. */
async function checkAgain(at: Situation, result: RunResult): Promise<void> {
  const lock = join(at.folder, 'walk.lock.yaml');
  const written = await readFile(lock, 'utf8');
  const isWhole = at.targets.length === 0 && !at.dag.overridden;
  const again = must(
    await runPipeline({ ...at, force: [], store: at.open(), locked: isWhole, stageProcess: 'never started' }),
  );
  expect([...again.stages.values()].map(({ decision }) => decision)).toEqual(
    [...result.stages].map(() => 'reused'),
  );
  expect(outputsOf(again)).toEqual(outputsOf(result));
  expect(await readFile(lock, 'utf8')).toBe(written);
}

const outputsOf = (result: RunResult): unknown =>
  Object.fromEntries(
    [...result.stages].map(([id, outcome]) => [id, 'outputs' in outcome && outcome.outputs]),
  );

/** The caches that save reading unchanged files again. */
const caches = ['store/stat-cache.bin', 'store/module-cache.json'];

/** Every file below a folder except these caches, with what distinguishes one write from another. */
function filesBelow(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const kept = entries.filter((path) => !caches.includes(path));
  const rows = kept.flatMap((path) => {
    const found = statSync(join(folder, path), { bigint: true });
    const { ino, size, mtimeNs, ctimeNs } = found;
    return [[path, found.isDirectory() ? 'folder' : `${ino} ${size} ${mtimeNs} ${ctimeNs}`]];
  });
  return Object.fromEntries(rows);
}
