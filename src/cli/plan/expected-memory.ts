import type { TrainConfig } from '../../generated/train-config.ts';
import { type DagNode, type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';

interface Planned {
  readonly plan: Plan;
  readonly store: Store;
}

/**
 * Stage -> the bytes that it is expected to take at its peak: of the trainings that would run and whose model and batches
 * are there from before. No weight is read.
 */
export async function expectedMemory({ plan, store }: Planned): Promise<ReadonlyMap<string, number>> {
  const expected = new Map<string, number>();
  for (const [id, { node, decision }] of plan.stages) {
    const { backend = 'auto' } = node.resources;
    if (decision.kind !== 'run' || node.definition.name !== 'train' || !['auto', 'onnx'].includes(backend))
      continue;
    const [model, batches] = [inputOf(node, 'model', plan), inputOf(node, 'train', plan)];
    const bytes =
      model && batches && (await ofTraining({ store, model, batches, node }).catch(() => undefined));
    if (bytes !== undefined) expected.set(id, Math.round(bytes));
  }
  return expected;
}

/** What stands at an input already. */
function inputOf(node: DagNode, port: string, { stages }: Plan): Digest | undefined {
  const from = node.inputs[port];
  const decision = from && stages.get(from.stage)?.decision;
  if (!from || decision?.kind !== 'reuse') return undefined;
  const content = decision.record.outputs[from.output];
  return typeof content === 'object' ? content.parts[from.part ?? ''] : content;
}

interface PlannedTraining {
  readonly store: Store;
  readonly model: Digest;
  readonly batches: Digest;
  readonly node: DagNode;
}

async function ofTraining({ store, model, batches, node }: PlannedTraining): Promise<number> {
  const [{ readModelConfig }, { readBatches }, { checkTrainingMemory }] = await Promise.all([
    import('../../model/folder/open-model-folder.ts'),
    import('../../stages/ports/batches-file.ts'),
    import('../../training/memory/check-training-memory.ts'),
  ]);
  await using folder = await openContent(store, model);
  await using file = await openContent(store, batches);
  return checkTrainingMemory({
    model: await readModelConfig(folder.path),
    batches: await readBatches(file.path),
    config: node.config as unknown as TrainConfig, // decode edge: the stage's own schema has accepted it
    limit: Number.POSITIVE_INFINITY,
  });
}
