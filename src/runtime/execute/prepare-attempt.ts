import { join, relative } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import type { Digest } from '../key/digest.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { type ContentGiver, GivenContents, NamedContents } from '../store/given-contents.ts';
import { attemptFiles } from '../store/store-layout.ts';
import { bundleCode } from './bundle-code.ts';
import type { Job } from './executor/executor.ts';
import { type LaidOutSources, layOutSources } from './lay-out-sources.ts';
import { openKeptFolders, prepareAction } from './prepare-action.ts';
import { type Received, runsCode, unapprovedCode } from './received.ts';
import { failureOf, isUserError } from './run-action.ts';
import type { RunContext, StageTask } from './run-context.ts';
import { type WatchedSources, watchSources } from './watch-sources.ts';

interface AttemptSurroundings {
  readonly folder: string;
  /** Whether an earlier process has prepared it, and its job may be running. */
  readonly again: boolean;
  readonly context: RunContext;
  readonly report: (report: StageReport) => void;
}

interface PreparedAttempt extends Pick<LaidOutSources, 'addresses'>, Pick<Job, 'contents'> {
  readonly action: StageAction;
  readonly given: ContentGiver;
  readonly watched: WatchedSources;
}

/** Lays out everything that a stage reads, and begins to watch what could change while it does. */
export async function prepareAttempt(
  stage: StageTask,
  attempt: AttemptSurroundings,
): Promise<Result<PreparedAttempt, Failure>> {
  const { node, inputs, executor } = stage;
  const { folder, context, again } = attempt;
  const { store, sources, resources } = context;
  const received = unapprovedCode(node, sources);
  if (received !== undefined) return err(notApproved(received));
  const toUserCode = runsCode(node);
  const given =
    executor.reads === 'paths' ? new GivenContents(store, { toUserCode, again }) : new NamedContents();
  const laidOut = await sourcesOf(node, { ...attempt, given });
  if (!laidOut.ok) return laidOut;
  const { config, addresses } = laidOut.value;
  const prepared = await prepareAction({ node: { ...node, config }, inputs, folder, given, resources });
  const bundled = await bundleCode(node, { folder, stageProcess: context.stageProcess, store, again });
  if (!bundled.ok) return bundled;
  const { manifests, ...code } = bundled.value;
  if (executor.reads === 'digests' && manifests.length > 0)
    return err(packagesElsewhere(node, executor.name));
  const watched = await watchSources(node, { sources, store, files: manifests, mayGrow: toUserCode });
  if (!watched.ok) return err({ kind: 'source-changed', path: watched.error });
  const action = { ...prepared, ...(await openKeptFolders(stage, context)), ...code };
  const contents = contentsOf(node, { given, context });
  return ok({ action, addresses, given, contents, watched: watched.value });
}

/** The command line asks before a run; this holds for every other way to start one. */
const notApproved = ({ from }: Received): Failure => ({
  kind: 'stage-error',
  code: 'unapproved-code',
  message: `its code comes from ${from}, and nobody has approved it`,
  help: '`tuneloom run` shows the code and asks; with --yes it approves without asking',
});

const packagesElsewhere = ({ id }: DagNode, executor: string): Failure => ({
  kind: 'stage-error',
  code: 'packages-elsewhere',
  message: `the code of \`${id}\` imports packages, and only its own files are sent to \`${executor}\``,
  help: `run it on this machine: \`executor: { ${id}: local }\` in the settings`,
});

/** What the action reads at each path: contents of the store, and sources of the user's. */
function contentsOf(
  { sources }: DagNode,
  { given, context }: { readonly given: ContentGiver; readonly context: RunContext },
): Job['contents'] {
  const contents = new Map<string, { readonly digest: Digest; readonly source?: string }>();
  for (const [path, digest] of given.contents) contents.set(path, { digest });
  for (const { path, resolver } of sources) {
    const digest = resolver === undefined ? context.sources.get(path) : undefined;
    if (digest !== undefined) contents.set(path, { digest, source: path });
  }
  return contents;
}

/** The warning is kept with the result, so it names a file from the pipeline's folder. */
export async function noteNewFiles(
  watched: WatchedSources,
  { folder, report }: { readonly folder: string; readonly report: (report: StageReport) => void },
): Promise<void> {
  const [path, ...others] = await watched.appeared();
  if (path === undefined) return;
  const first = relative(folder, path);
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const message = `${first}${more} appeared beside the files that it reads, so that it runs again next time; write elsewhere`;
  report({ type: 'note', level: 'warning', message });
}

async function sourcesOf(
  node: DagNode,
  attempt: AttemptSurroundings & { readonly given: ContentGiver },
): Promise<Result<LaidOutSources, Failure>> {
  try {
    return ok(await layOutSources(node, { ...attempt, folder: join(attempt.folder, attemptFiles.sources) }));
  } catch (error) {
    const { signal } = attempt.context;
    if (!isUserError(error) && !signal.aborted) throw error;
    return err(failureOf(error, signal));
  }
}
