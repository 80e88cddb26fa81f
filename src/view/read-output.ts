import { own, UserError } from '../core/index.ts';
import type { Scores } from '../metrics/index.ts';
import {
  broughtState,
  type Digest,
  openContent,
  type RunRecord,
  readRecord,
  type Store,
} from '../runtime/index.ts';
import { portCodecs } from '../stages/index.ts';

export interface StageOfRun {
  readonly run: RunRecord;
  readonly stage: string;
}

/** An output of a stage in a run. */
export interface OutputOfRun extends StageOfRun {
  readonly output: string;
  readonly part?: string;
}

/** The content of a stage's output in a run; undefined if there is none, or neither the store nor a remote has it. */
export async function findOutput(
  store: Store,
  { run, stage, output, part }: OutputOfRun,
): Promise<Digest | undefined> {
  const outcome = own(run.stages, stage);
  const content = outcome !== undefined && 'outputs' in outcome ? own(outcome.outputs, output) : undefined;
  if (content === undefined) return undefined;
  const digest = typeof content === 'string' ? content : own(content.parts, part ?? '');
  if (digest === undefined || (part !== undefined) !== (typeof content !== 'string')) return undefined;
  const name = [stage, output, ...(part === undefined ? [] : [part])].join('.');
  return (await broughtState(store, { digest, name })) === 'present' ? digest : undefined;
}

/**
 * Reads an output by its path in the store. Undefined if there is none, or if a user's stage wrote something else under a
 * name that a built-in stage uses.
 */
export async function readRunOutput<Value>(
  store: Store,
  at: OutputOfRun,
  read: (path: string) => Promise<Value>,
): Promise<Value | undefined> {
  const digest = await findOutput(store, at);
  if (digest === undefined) return undefined;
  await using content = await openContent(store, digest);
  try {
    return await read(content.path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The scores of an evaluation. */
export const readScores = (store: Store, at: StageOfRun): Promise<Scores | undefined> =>
  readRunOutput(store, { ...at, output: 'scores' }, (path) => portCodecs.scores.read(path).read());

/** The stages of a run with an output of a name, in the order of the run. */
export const stagesWith = ({ stages }: RunRecord, output: string): readonly string[] =>
  Object.entries(stages).flatMap(([id, outcome]) =>
    'outputs' in outcome && Object.hasOwn(outcome.outputs, output) ? [id] : [],
  );

/** The stages of a run that scored a stage's answers. */
export function scorersOf(store: Store, { run, stage }: StageOfRun): readonly string[] {
  const asked = own(run.stages, stage);
  const answers = asked !== undefined && 'outputs' in asked ? own(asked.outputs, 'responses') : undefined;
  if (answers === undefined) return [];
  return stagesWith(run, 'scores').filter((id) => {
    const outcome = run.stages[id];
    if (outcome === undefined || !('key' in outcome)) return false;
    const found = readRecord(store, outcome.key);
    return found.kind === 'usable' && own(found.record.material.inputs, 'responses') === answers;
  });
}
