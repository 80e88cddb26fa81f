import { contentState, type Digest, type RunRecord, type Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import type { Scores } from '../../stages/ports/scores.ts';
import { readOutput } from '../summary/finished-outputs.ts';

/** The content of a stage's output in a run; undefined where it has none of its own, or gc has taken it. */
async function outputOf(
  store: Store,
  { run, stage, output }: { readonly run: RunRecord; readonly stage: string; readonly output: string },
): Promise<Digest | undefined> {
  const outcome = Object.hasOwn(run.stages, stage) ? run.stages[stage] : undefined;
  const content = outcome !== undefined && 'outputs' in outcome ? outcome.outputs[output] : undefined;
  if (typeof content !== 'string') return undefined;
  return (await contentState(store, content)) === 'present' ? content : undefined;
}

interface StageOfRun {
  readonly run: RunRecord;
  readonly stage: string;
}

/** The scores that a stage gave in a run. */
export async function scoresOf(store: Store, at: StageOfRun): Promise<Scores | undefined> {
  const digest = await outputOf(store, { ...at, output: 'scores' });
  return digest && readOutput({ store, digest }, (path) => portCodecs.scores.read(path).read());
}

/** The answers that a stage gave in a run, by their records' ids. */
export async function answersOf(
  store: Store,
  at: StageOfRun,
): Promise<ReadonlyMap<string, ResponseRecord> | undefined> {
  const digest = await outputOf(store, { ...at, output: 'responses' });
  return (
    digest &&
    readOutput({ store, digest }, async (path) => {
      const answers = new Map<string, ResponseRecord>();
      for await (const answer of portCodecs.responses.read(path)) answers.set(answer.id, answer);
      return answers;
    })
  );
}
