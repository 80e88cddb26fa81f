import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import type { RunResult } from '../../../src/runtime/execute/run-result.ts';
import { type ExplainedDifference, explainStage } from '../../../src/runtime/plan/explain-stage.ts';
import { planPipeline } from '../../../src/runtime/plan/plan-pipeline.ts';
import type { Result } from '../../../src/runtime/result.ts';
import { openStore, type Store } from '../../../src/runtime/store/store.ts';
import { naiveDifferences, withoutInputs } from './naive-differences.ts';
import { countedConfig, nameOf } from './naive-model.ts';
import type { Content } from './run-alone.ts';
import type { Situation } from './walk.ts';

/** Plans, explains and runs the pipeline as it stands, and compares all of it with what is foreseen. */
export async function checkStep(at: Situation): Promise<void> {
  const before = filesBelow(at.folder);
  await checkPlan(at);
  await checkExplanations(at);
  expect(filesBelow(at.folder)).toEqual(before);
  const result = await run(at, at.open());
  checkOutcomes(at, result);
  await checkFresh(at, result);
  if (result.outcome === 'succeeded') await checkAgain(at, result);
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

/** `explain` names exactly the fields that differ from when the stage last had a result, and where they stand. */
async function checkExplanations(at: Situation): Promise<void> {
  if (at.force.length > 0) return;
  for (const [id, { planned }] of at.foreseen) {
    const explained = must(await explainStage({ dag: at.dag, store: at.open(), stage: id }));
    const past = at.past(id);
    if (past === undefined) continue;
    const said = explained.differences.map((difference) => [nameDifference(difference), lineOf(difference)]);
    const due = planned === 'reuse' ? [] : dueDifferences(at, { id, past, open: planned !== 'run' });
    expect([id, ...said.sort()]).toEqual([id, ...due.map((name) => [name, dueLine(at, id, name)]).sort()]);
  }
}

function dueDifferences(
  at: Situation,
  stage: {
    readonly id: string;
    readonly past: Parameters<typeof naiveDifferences>[0];
    readonly open: boolean;
  },
): readonly string[] {
  const { id, past, open } = stage;
  const material = at.foreseen.get(id)?.material;
  if (material !== undefined) {
    const differences = naiveDifferences(past, material);
    return open ? withoutInputs(differences) : differences;
  }
  const written = at.project.stages.find((other) => other.id === id);
  if (written === undefined) return [];
  const version = at.dag.nodes.get(id)?.definition.version;
  const now = {
    uses: written.uses,
    version,
    config: countedConfig(written, at.project),
    inputs: past.inputs,
  };
  return naiveDifferences(past, now);
}

function nameDifference(difference: ExplainedDifference): string {
  switch (difference.kind) {
    case 'config':
      return `with ${difference.pointer}`;
    case 'source':
      return `content ${difference.pointer}`;
    case 'input':
      return `from ${difference.port}${difference.part === undefined ? '' : `.${difference.part}`}`;
    default:
      return difference.kind;
  }
}

const lineOf = ({ span }: ExplainedDifference): string =>
  `${span.file.displayPath}:${span.file.text.slice(0, span.start).split('\n').length}`;

/** The line of the field, or of the nearest place above it that is in the file. */
function dueLine({ yaml }: Situation, id: string, name: string): string {
  const [what = '', where = ''] = name.split(' ');
  const section = what === 'from' ? `${id} from ${where.split('.')[0]}` : `${id} with ${where}`;
  const above = section.split('/').map((_, index, all) => all.slice(0, all.length - index).join('/'));
  const place = (what === 'uses' || what === 'version' ? [] : above).find((one) => yaml.lines.has(one)) ?? id;
  return `walk.yaml:${yaml.lines.get(place)}`;
}

async function run(at: Situation, store: Store): Promise<RunResult> {
  const { dag, targets, force, jobs } = at;
  return must(
    await runPipeline({ dag, store, targets, force, jobs, keepGoing: true, stageProcess: 'never started' }),
  );
}

/** Each key that is new ran once, whoever of the stages that share it did; all else is as foreseen. */
function checkOutcomes({ foreseen, force }: Situation, result: RunResult): void {
  const keyOf = (id: string): string => nameOf(foreseen.get(id)?.material ?? id);
  const count = (outcomeOf: (id: string) => string | undefined): readonly string[] =>
    [...foreseen.keys()].map((id) => `${outcomeOf(id)} ${keyOf(id)}`).sort();
  const [said, due] = [result.stages, foreseen] as const;
  const forcedKeys = new Set(force.map(keyOf));
  const settled = [...foreseen.keys()].filter((id) => !forcedKeys.has(keyOf(id)) || force.includes(id));
  const ofSettled = (of: (id: string) => string | undefined) => (id: string) =>
    settled.includes(id) ? of(id) : 'either';
  expect([...said.keys()].sort()).toEqual([...due.keys()].sort());
  expect(count(ofSettled((id) => said.get(id)?.decision))).toEqual(
    count(ofSettled((id) => due.get(id)?.outcome)),
  );
}

/** A run from nothing gives the same digests, and they are those of the bytes that the stages wrote. */
async function checkFresh(at: Situation, result: RunResult): Promise<void> {
  const root = join(at.folder, 'fresh');
  const fresh = await run(at, openStore(root));
  await rm(root, { recursive: true });
  expect(outputsOf(fresh)).toEqual(outputsOf(result));
  const said = [...result.stages].flatMap(([id, outcome]) =>
    'outputs' in outcome
      ? Object.entries(outcome.outputs).map(([port, content]) => [`${id}.${port}`, content])
      : [],
  );
  for (const [name, content] of said) {
    const [id = '', port = ''] = String(name).split('.');
    const due = at.foreseen.get(id)?.outputs?.[port];
    if (due?.files === undefined) expect([name, content]).toEqual([name, due && digestsOf(due)]);
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
  const isWhole = at.targets.length === 0 && Object.keys(at.project.overrides).length === 0;
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

/** Every file below a folder but the stat cache and what it needs, with what tells one writing from another. */
function filesBelow(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const kept = entries.filter((path) => path !== 'store/stat-cache.bin');
  const rows = kept.flatMap((path) => {
    const { ino, size, mtimeNs, ctimeNs } = statSync(join(folder, path), { bigint: true });
    const isFolder = statSync(join(folder, path)).isDirectory();
    return [[path, isFolder ? 'folder' : `${ino} ${size} ${mtimeNs} ${ctimeNs}`]];
  });
  return Object.fromEntries(rows);
}

function must<T>(result: Result<T, readonly { readonly message: string }[]>): T {
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  return result.value;
}
