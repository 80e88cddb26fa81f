import type { TrainConfig } from '../../generated/train-config.ts';
import { readAdapterSettings, readModelConfig } from '../../model/index.ts';
import { type DagNode, type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';
import { adapterFolder, readBatches } from '../../stages/index.ts';
import { checkTrainingMemory } from '../../training/index.ts';

/** Stage -> expected peak memory in bytes, of each training that would run on cached inputs. No weights are read. */
export async function expectedMemory(plan: Plan, store: Store): Promise<ReadonlyMap<string, number>> {
  const expected = new Map<string, number>();
  for (const [id, { node, decision }] of plan.stages) {
    const { backend = 'auto' } = node.resources;
    if (decision.kind !== 'run' || node.definition.name !== 'train' || !['auto', 'onnx'].includes(backend))
      continue;
    const [model, batches] = [inputOf(node, 'model', plan), inputOf(node, 'train', plan)];
    const adapter = inputOf(node, 'adapter', plan);
    const bytes =
      model &&
      batches &&
      (await trainingMemory({ store, model, batches, adapter, node }).catch(() => undefined));
    if (bytes !== undefined) expected.set(id, Math.round(bytes));
  }
  return expected;
}

/** The cached content of an input. */
function inputOf(node: DagNode, port: string, { stages }: Plan): Digest | undefined {
  const from = node.inputs[port];
  const decision = from && stages.get(from.stage)?.decision;
  if (!from || decision?.kind !== 'reuse') return undefined;
  const content = decision.record.outputs[from.output];
  return typeof content === 'object' ? content.parts[from.part ?? ''] : content;
}

async function trainingMemory({
  store,
  model,
  batches,
  adapter,
  node,
}: {
  readonly store: Store;
  readonly model: Digest;
  readonly batches: Digest;
  readonly adapter: Digest | undefined;
  readonly node: DagNode;
}): Promise<number> {
  await using folder = await openContent(store, model);
  await using file = await openContent(store, batches);
  const config = await readModelConfig(folder.path);
  await using given = adapter === undefined ? undefined : await openContent(store, adapter);
  return checkTrainingMemory({
    model: config,
    adapter: given && (await readAdapterSettings(await adapterFolder(given.path), config)),
    batches: await readBatches(file.path),
    config: node.config as unknown as TrainConfig, // decode edge: the stage's own schema has accepted it
    limit: Number.POSITIVE_INFINITY,
  });
}
