import {
  type Dag,
  type Digest,
  listRuns,
  type Plan,
  type PortContent,
  planPipeline,
  type Store,
} from '../../runtime/index.ts';
import { UsageError } from '../usage-error.ts';
import type { ArtifactReference } from './parse-reference.ts';

export interface FoundArtifact {
  readonly digest: Digest;
  /** The run that it comes from, where the pipeline has changed since; undefined where it is what the pipeline says now. */
  readonly pastRun: string | undefined;
}

/** Finds what a reference stands for: what the pipeline as it is would reuse, else what the stage wrote last. */
export function findArtifact(request: {
  readonly dag: Dag;
  readonly store: Store;
  readonly plan: Plan;
  readonly reference: ArtifactReference;
}): FoundArtifact {
  const { dag, store, plan, reference } = request;
  const { id } = reference.node;
  const decision = plan.stages.get(id)?.decision;
  const current = decision?.kind === 'reuse' ? digestIn(decision.record.outputs, reference) : undefined;
  if (current) return { digest: current, pastRun: undefined };
  for (const { pipeline, stages, run } of listRuns(store)) {
    const outcome = pipeline === dag.name ? stages[id] : undefined;
    const digest = outcome && 'outputs' in outcome ? digestIn(outcome.outputs, reference) : undefined;
    if (digest) return { digest, pastRun: run };
  }
  throw new UsageError({
    message: `the stage \`${id}\` has not run yet`,
    help: `run it with \`tuneloom run ${id}\``,
  });
}

function digestIn(
  outputs: Readonly<Record<string, PortContent>>,
  { output, part }: ArtifactReference,
): Digest | undefined {
  const content = outputs[output];
  if (content === undefined || typeof content === 'string') return part === undefined ? content : undefined;
  return part === undefined ? undefined : content.parts[part];
}

/** What the pipeline, as far as this stage needs it, would do now. */
export async function planOf(request: {
  readonly dag: Dag;
  readonly store: Store;
  /** The whole pipeline where absent. */
  readonly stage?: string;
}): Promise<Plan> {
  const { dag, store, stage } = request;
  const plan = await planPipeline({ dag, store, targets: stage === undefined ? [] : [stage] });
  if (plan.ok) return plan.value;
  throw new UsageError({ message: plan.error.map(({ message }) => message).join('; ') });
}
