import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, newTemporaryFolder, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { digestsAt, type PortContent } from '../key/digest.ts';
import type { Decision } from '../plan/decide.ts';
import { type Plan, planPipeline } from '../plan/plan-pipeline.ts';
import { stagesCalled } from '../plan/select-stages.ts';
import type { Failure } from '../stage/run-event.ts';
import { type ActionRecord, readRecord } from '../store/action-records.ts';
import { borrowResults } from '../store/borrow-results.ts';
import { contentState } from '../store/content-state.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { openStore, type Store, type WantedContent } from '../store/store.ts';
import type { RunOptions } from './run-context.ts';
import { runPipeline } from './run-pipeline.ts';

/** The result of running a finished stage again. */
export type Rerun =
  | {
      readonly kind: 'reran';
      readonly first: ActionRecord;
      readonly again: ActionRecord;
      readonly scratch: Store;
    }
  | { readonly kind: 'failed'; readonly failure: Failure | undefined }
  /** It has no result to compare with. */
  | { readonly kind: 'not-cached' };

interface RerunRequest extends Omit<RunOptions, 'force' | 'locked' | 'targets'> {
  /** Only these; empty: every stage. */
  readonly stages: readonly string[];
  /** Called when a stage ends; its outputs can be read in the scratch store until the promise settles. */
  readonly onRerun: (stage: string, rerun: Rerun) => Promise<void>;
}

/**
 * Runs finished stages again, each from its original inputs, so that a difference in one does not carry over to the next;
 * where the store lacks an input, all of them together, from the sources.
 * Each runs in its own scratch store, which is removed afterwards; the real store and the lock do not change.
 */
export async function rerunStages(request: RerunRequest): Promise<Result<void, readonly Diagnostic[]>> {
  const { dag, store, stages, signal } = request;
  const plan = await planPipeline({ dag, store, targets: stages });
  if (!plan.ok) return plan;
  const named = new Set(stages.flatMap((name) => stagesCalled(name, dag)));
  const wanted = named.size === 0 ? new Set(plan.value.stages.keys()) : named;
  if (await lacksInputs(request, { ...plan.value, wanted }))
    return rerunTogether(request, { plan: plan.value, wanted });
  for (const stage of plan.value.stages.keys()) {
    if (signal?.aborted) break;
    if (!wanted.has(stage)) continue;
    const folder = await newTemporaryFolder('tuneloom-rerun-');
    try {
      const rerun = await rerunOne(stage, {
        request,
        plan: plan.value,
        scratch: openStore(join(folder, 'store')),
      });
      if (!rerun.ok) return rerun;
      await request.onRerun(stage, rerun.value);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return ok(undefined);
}

/**
 * Whether a stage would read a result whose bytes are neither in the store nor on a remote, as in the store of a bundle
 * without its data. Brings here what a remote has.
 */
async function lacksInputs(
  request: RerunRequest,
  { stages, wanted }: Pick<Plan, 'stages'> & { readonly wanted: ReadonlySet<string> },
): Promise<boolean> {
  for (const stage of wanted) {
    const decision = stages.get(stage)?.decision;
    if (decision?.kind !== 'reuse') continue;
    const contents = Object.values(decision.record.material.inputs);
    if (!(await bring(request, { stage, contents }))) return true;
  }
  return false;
}

/**
 * Runs stages and all that they need again in one scratch store, from the sources. A difference carries over to the stages
 * that follow.
 */
async function rerunTogether(
  request: RerunRequest,
  { plan, wanted }: { readonly plan: Plan; readonly wanted: ReadonlySet<string> },
): Promise<Result<void, readonly Diagnostic[]>> {
  const folder = await newTemporaryFolder('tuneloom-rerun-');
  const { remotes: _, ...alone } = request;
  try {
    const scratch = openStore(join(folder, 'store'));
    // The contents of remote sources only.
    await borrowResults(request.store, { to: scratch, records: [] });
    const targets = [...request.stages];
    const result = await runPipeline({
      ...alone,
      store: scratch,
      targets,
      keepGoing: true,
      leaveLock: true,
    });
    if (!result.ok) return result;
    for (const stage of wanted) {
      const decision = plan.stages.get(stage)?.decision;
      const outcome = result.value.stages.get(stage);
      await request.onRerun(stage, comparedWith(decision, { outcome, scratch }));
    }
    return ok(undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function comparedWith(
  decision: Decision | undefined,
  { outcome, scratch }: { readonly outcome: StageOutcome | undefined; readonly scratch: Store },
): Rerun {
  if (decision?.kind !== 'reuse') return { kind: 'not-cached' };
  const found = outcome !== undefined && 'outputs' in outcome ? readRecord(scratch, outcome.key) : undefined;
  if (found?.kind === 'usable')
    return { kind: 'reran', first: decision.record, again: found.record, scratch };
  return { kind: 'failed', failure: outcome?.decision === 'failed' ? outcome.failure : undefined };
}

async function rerunOne(
  stage: string,
  {
    request,
    plan,
    scratch,
  }: { readonly request: RerunRequest; readonly plan: Plan; readonly scratch: Store },
): Promise<Result<Rerun, readonly Diagnostic[]>> {
  const decision = plan.stages.get(stage)?.decision;
  if (decision?.kind !== 'reuse') return ok({ kind: 'not-cached' });
  const { key, record: first } = decision;
  const { remotes: _, ...alone } = request;
  const records = [...plan.stages.values()].flatMap((planned) =>
    planned.decision.kind === 'reuse' && planned.decision.key !== key ? [planned.decision.record] : [],
  );
  await borrowResults(request.store, { to: scratch, records });
  const result = await runPipeline({ ...alone, store: scratch, targets: [stage], leaveLock: true });
  if (!result.ok) return result;
  const found = readRecord(scratch, key);
  if (found.kind === 'usable') {
    // What differs is compared byte by byte.
    const differing = Object.entries(first.outputs).flatMap(([port, content]) =>
      canonicalJson(content) === canonicalJson(found.record.outputs[port] ?? null) ? [] : [content],
    );
    await bring(request, { stage, contents: differing });
    return ok({ kind: 'reran', first, again: found.record, scratch });
  }
  const outcome = result.value.stages.get(stage);
  return ok({ kind: 'failed', failure: outcome?.decision === 'failed' ? outcome.failure : undefined });
}

/** Brings contents here that only a remote has; whether all are here now. */
async function bring(
  { store, remotes, signal = new AbortController().signal }: RerunRequest,
  { stage, contents }: { readonly stage: string; readonly contents: readonly PortContent[] },
): Promise<boolean> {
  const wanted: WantedContent[] = [];
  for (const { digest } of contents.flatMap((content) => [...digestsAt(content)]))
    if ((await contentState(store, digest)) !== 'present') wanted.push({ digest, name: stage });
  if (wanted.length === 0) return true;
  const lacking = await remotes?.fetch(store, wanted, { signal, report: () => {} });
  return lacking?.size === 0;
}
