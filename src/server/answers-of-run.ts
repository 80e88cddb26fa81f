import { own, UserError } from '../core/index.ts';
import type { Digest, RunRecord } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import { notFound } from './answers.ts';
import type { Project } from './project.ts';
import { answererOf, openOutput, outputsOf } from './run-outputs.ts';

/** The answers of a stage in a run. */
export interface StageAnswers {
  readonly run: RunRecord;
  readonly stage: string;
  readonly responses: readonly ResponseRecord[];
  /** Who answered. */
  readonly version: string;
}

/** By digest: contents never change. The last few are kept, since a page asks for one answer after another. */
const kept = new Map<Digest, readonly ResponseRecord[]>();
const mostKept = 4;

/** Throws a UserError if the stage has no answers to judge. */
export async function answersOf(
  project: Project,
  { run: id, stage }: { readonly run: string; readonly stage: string },
): Promise<StageAnswers> {
  const { store } = project;
  const run = await project.run(id);
  const outputs = outputsOf(store, { run, dag: await project.dagOf(run) });
  const found = outputs.find((output) => output.stage === stage && output.type === 'responses');
  const outcome = own(run.stages, stage);
  if (found === undefined || outcome === undefined || !('outputs' in outcome))
    throw notFound(`stage ${JSON.stringify(stage)} with answers in this run`);
  const responses = kept.get(found.digest) ?? (await read());
  // The order of a map is that of use.
  kept.delete(found.digest);
  kept.set(found.digest, responses);
  for (const digest of [...kept.keys()].slice(0, -mostKept)) kept.delete(digest);
  if (responses.every(({ response }) => response === undefined))
    throw new UserError({
      code: 'no-answers',
      message: `\`${stage}\` scores texts and has no answers to judge`,
    });
  return { run, stage, responses, version: answererOf(store, outcome) };

  async function read(): Promise<readonly ResponseRecord[]> {
    const opened = await openOutput(store, outputs, found ?? { stage, output: '' });
    await using content = opened.content;
    return await readAll(portCodecs.responses.read(content.path));
  }
}
