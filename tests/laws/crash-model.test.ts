import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { chosenFrom, countedIn, everyDeath, pairsFrom } from './rig/every-death.ts';
import type { Death } from './rig/law.ts';
import { mortalCommand } from './rig/mortal-command.ts';
import { canSeeProcesses, orphansIn } from './rig/mortal-run.ts';
import { answersIn, keysIn, lastRunIn, measuredIn, stepsIn } from './rig/stored.ts';

const lanes = 3;
const stepsAnEpoch = 3;
const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');
const rows = Array.from({ length: 9 }, (_, row) => ({ text: `w${row} w${row + 1} w${row + 2} w${row + 3}` }));

const project = {
  'package.json': '{}',
  'rows.json': JSON.stringify(rows),
  'tune.yaml': `name: tune
stages:
  base:
    uses: load
    with: { model: ${model} }
  load:
    with: { records: rows.json }
  format:
    from: load
    with: { template: { prompt: "{{ text }}", response: "w3" } }
  tokenize:
    from: { records: format, tokenizer: base.tokenizer }
  collate:
    from: tokenize
    with: { batch_size: 3, max_length: 16, train_on: all }
  train:
    from: { model: base, train: collate }
    with: { epochs: 2, sample: { max_new_tokens: 0 } }
  generate:
    from: { model: train, prompts: format }
    with: { max_new_tokens: 2, batch_size: 3 }
  evaluate:
    from: generate
    with: { metrics: [exact_match] }
`,
};

/** A project whose data stages have run. The training that follows is where the processes are killed. */
async function openUntrained(): Promise<CliRig> {
  const rig = await openCliRig(project);
  await rig.tuneloom('run', 'collate');
  return rig;
}

/** The result of running a copy. For training an hour passes between two readings of the clock, so it saves its state at each step. */
async function livesOn(untrained: CliRig) {
  await using rig = await copyOf(untrained);
  const counts = join(rig.folder, 'counts.jsonl');
  await mortalCommand(rig, ['run'], { counts, hastens: 'train' });
  return { deaths: everyDeath(countedIn(counts)), end: endOf(rig) };
}

async function copyOf({ folder }: CliRig): Promise<CliRig> {
  const rig = await openCliRig();
  await cp(folder, rig.folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return rig;
}

const storeOf = ({ folder }: CliRig): string => join(folder, 'artifacts');

/** All that must not depend on what happened before: how the run ended, each stage's outcome, the lock. */
function endOf(rig: CliRig): object {
  const { outcome, stages } = lastRunIn(storeOf(rig));
  const outputs = Object.fromEntries(Object.entries(stages).map(([id, stage]) => [id, stage.outputs]));
  const leftBehind = ['tmp', 'state', 'leases'].flatMap((name) => namesIn(join(storeOf(rig), name)));
  return { outcome, outputs, leftBehind, lock: readFileSync(join(rig.folder, 'tune.lock.yaml'), 'utf8') };
}

const namesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** What is in a store and must not be computed again. */
const finishedIn = (store: string) => ({
  keys: keysIn(store),
  answers: answersIn(store),
  step: Math.max(0, ...stepsIn(store, stepsAnEpoch)),
});

/** Which of these the last run computed again, by its output. */
function doneAgain(
  rig: CliRig,
  { finished, said }: { finished: ReturnType<typeof finishedIn>; said: string },
) {
  const { stages } = lastRunIn(storeOf(rig));
  const repeated = Object.entries(stages).filter(
    ([, { key, decision }]) => finished.keys.has(key) && decision !== 'reused',
  );
  const ran = (id: string): boolean => stages[id]?.decision === 'ran';
  const [, place, number] = /resumes after (step|epoch) (\d+)/.exec(said) ?? [];
  const begunAfter = Number(number ?? 0) * (place === 'epoch' ? stepsAnEpoch : 1);
  const generated = measuredIn(storeOf(rig), stages.generate?.key ?? '');
  return {
    stages: repeated.map(([id]) => id),
    steps: ran('train') ? Math.max(0, finished.step - begunAfter) : 0,
    answers: ran('generate') ? Math.max(0, finished.answers - Number(generated.answers_from_before ?? 0)) : 0,
  };
}

const nothingAgain = { stages: [], steps: 0, answers: 0 };

/** Kills a run and those that follow it, lets another finish, and reports the result. */
async function dieAndGoOn(untrained: CliRig, deaths: readonly Death[]) {
  await using rig = await copyOf(untrained);
  let finished = finishedIn(storeOf(rig));
  for (const death of deaths) {
    await mortalCommand(rig, ['run'], { death, hastens: 'train' });
    finished = finishedIn(storeOf(rig));
  }
  // A process that outlived its parent may still be working when the next run starts.
  const { exitCode, stdout } = await mortalCommand(rig, ['run'], { hastens: 'train' });
  const again = doneAgain(rig, { finished, said: stdout });
  const orphans = await orphansIn(rig.folder);
  const verified = (await rig.tuneloom('verify')).exitCode;
  return { exitCode, again, orphans, verified, end: endOf(rig) };
}

test.skipIf(!canSeeProcesses)(
  'killed at any operation while it trains, answers or scores, in the parent, the child or both: no step, no answer and no stage is done again',
  async () => {
    await using untrained = await openUntrained();
    const { deaths, end } = await livesOn(untrained);
    const waiting = [...chosenFrom(deaths, 4).map((death) => [death]), ...pairsFrom(deaths, 1)];
    const kills = waiting.flat().length;
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        expect({ deaths: next, ...(await dieAndGoOn(untrained, next)) }).toEqual({
          deaths: next,
          ...{ exitCode: 0, again: nothingAgain, orphans: [], verified: 0, end },
        });
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    console.log(`training and answering: ${deaths.length} points, ${kills} kills`);
  },
  7_200_000,
);
