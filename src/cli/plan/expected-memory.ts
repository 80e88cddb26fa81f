import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { ReferenceConfig } from '../../generated/reference-config.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import {
  checkGenerationMemory,
  keptShare,
  type ModelConfig,
  type QuantizedShare,
  readAdapterSettings,
  readModelConfig,
} from '../../model/index.ts';
import { type DagNode, type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';
import {
  adapterFolder,
  generationShape,
  portCodecs,
  readBatches,
  readPrompts,
  referenceShape,
  trainableTokenCount,
} from '../../stages/index.ts';
import { checkTrainingMemory } from '../../training/index.ts';

/** Stage -> expected peak memory in bytes, of each that trains or computes with a model and would run on known inputs. No weights are read. */
export async function expectedMemory(plan: Plan, store: Store): Promise<ReadonlyMap<string, number>> {
  const expected = new Map<string, number>();
  for (const [id, { node, decision }] of plan.stages) {
    const { backend = 'auto' } = node.resources;
    const estimate = estimates[node.definition.name];
    if (decision.kind === 'reuse' || estimate === undefined || !['auto', 'onnx'].includes(backend)) continue;
    const bytes = await estimate({ node, plan, store }).catch(() => undefined);
    if (bytes !== undefined) expected.set(id, Math.round(bytes));
  }
  return expected;
}

interface PlannedNode {
  readonly node: DagNode;
  readonly plan: Plan;
  readonly store: Store;
}

/** By the stage's name; undefined while an input is not known. */
const estimates: Readonly<Partial<Record<string, (planned: PlannedNode) => Promise<number | undefined>>>> = {
  train: trainingMemory,
  generate: answersMemory,
  reference: referenceMemory,
};

/** Nothing is refused here: the stage does that, by what is free when it runs. */
const unlimited = { limit: Number.POSITIVE_INFINITY, onProcessor: true };

async function trainingMemory({ node, plan, store }: PlannedNode): Promise<number | undefined> {
  const [model, batches, given] = ['model', 'train', 'adapter'].map((port) => inputOf(node, port, plan));
  if (model === undefined || batches === undefined) return undefined;
  await using folder = await openContent(store, model);
  await using file = await openContent(store, batches);
  const config = node.config as unknown as TrainConfig; // decode edge: the stage's own schema has accepted it
  const sizes = await readModelConfig(folder.path);
  await using adapter = given === undefined ? undefined : await openContent(store, given);
  return checkTrainingMemory(
    {
      model: sizes,
      kept: await keptShare(folder.path, sizes),
      adapter: adapter && (await readAdapterSettings(await adapterFolder(adapter.path), sizes)),
      tokens: await trainableTokenCount(config, folder.path),
      batches: await readBatches(file.path),
      config,
    },
    unlimited,
  );
}

async function answersMemory({ node, plan, store }: PlannedNode): Promise<number | undefined> {
  const prompts = inputOf(node, 'prompts', plan);
  const model = await modelOf(node, { plan, store });
  if (prompts === undefined || model === undefined) return undefined;
  await using file = await openContent(store, prompts);
  const config = node.config as unknown as GenerateConfig; // decode edge: the stage's own schema has accepted it
  const shape = generationShape(await readPrompts(portCodecs.records.read(file.path), config), config);
  return checkGenerationMemory({ ...model, ...shape, ...unlimited });
}

async function referenceMemory({ node, plan, store }: PlannedNode): Promise<number | undefined> {
  const batches = inputOf(node, 'batches', plan);
  const model = await modelOf(node, { plan, store });
  if (batches === undefined || model === undefined) return undefined;
  await using file = await openContent(store, batches);
  const config = node.config as unknown as ReferenceConfig; // decode edge: the stage's own schema has accepted it
  return checkGenerationMemory({
    model: model.model,
    ...referenceShape(await readBatches(file.path), config),
    ...unlimited,
  });
}

/** The model that a stage computes with: training changes weights only, so the sizes of a model to be tuned are known before. */
async function modelOf(
  node: DagNode,
  { plan, store }: Omit<PlannedNode, 'node'>,
): Promise<{ readonly model: ModelConfig; readonly kept?: QuantizedShare | undefined } | undefined> {
  const content = inputOf(node, 'model', plan);
  if (content !== undefined) {
    await using folder = await openContent(store, content);
    const model = await readModelConfig(folder.path);
    return { model, kept: await keptShare(folder.path, model) };
  }
  const from = node.inputs.model && plan.stages.get(node.inputs.model.stage)?.node;
  if (from?.definition.name !== 'train') return undefined;
  const tuned = await modelOf(from, { plan, store });
  return tuned && { model: tuned.model }; // a trained model is written in float32
}

/** The cached content of an input. */
function inputOf(node: DagNode, port: string, { stages }: Plan): Digest | undefined {
  const from = node.inputs[port];
  const decision = from && stages.get(from.stage)?.decision;
  if (!from || decision?.kind !== 'reuse') return undefined;
  const content = decision.record.outputs[from.output];
  return typeof content === 'object' ? content.parts[from.part ?? ''] : content;
}
