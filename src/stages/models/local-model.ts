import { UserError } from '../../core/index.ts';
import {
  type BasePrecision,
  floatProjectionsNote,
  keptShare,
  type LanguageModel,
  type ModelConfig,
  memoryLimit,
  openLanguageModel,
  type QuantizedShare,
  readEndTokens,
  readModelConfig,
} from '../../model/index.ts';
import type { StageAction, StageHost } from '../../runtime/index.ts';
import {
  halfPrecisions,
  hardwareAdapter,
  hasNvidiaGpu,
  installedCuda,
  installedTensorflow,
  multipliesBfloat16,
  nvidiaGpus,
  openTensorBackend,
  type ProductPrecision,
  TENSOR_BACKENDS,
  type TensorBackendInfo,
  type TensorBackendName,
  type TensorBackendOptions,
  type WeightPrecision,
} from '../../tensor/index.ts';
import { openTokenizer, type Tokenizer } from '../../text/index.ts';
import { endpointModel } from './endpoint-model.ts';
import { whoHasHalf } from './precision-problems.ts';

/** A model in this process, with the tokenizer from its folder. */
export interface LocalModel extends Disposable {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly tensorBackend: TensorBackendInfo;
  /** The ids that end an answer, from the model's configuration. */
  readonly endTokens: readonly number[];
}

/** Loads a model folder onto the tensor backend that `resources` asks for. */
export async function openLocalModel(
  folder: string,
  {
    resources,
    host,
    basePrecision = 'float32',
    weights,
    precision = 'float32',
  }: {
    readonly resources: StageAction['resources'];
    readonly host: StageHost;
    /** Of a training. */
    readonly basePrecision?: BasePrecision;
    /** Of the weights in a generation. */
    readonly weights?: WeightPrecision;
    /** That of the products, which the backend must have. */
    readonly precision?: ProductPrecision;
  },
): Promise<LocalModel> {
  const served = await endpointModel(folder);
  if (served !== undefined)
    throw new UserError({
      code: 'endpoint-model',
      message: `the model \`${served}\` is served by an endpoint, so its weights are not available`,
      help: 'use a model that is loaded from a folder or created with `init`',
    });
  const tokenizer = await openTokenizer(folder);
  const note = (message: string) => host.report({ type: 'note', level: 'info', message });
  const tensorBackend = await openBackend(resources, note);
  checkPrecision(precision, tensorBackend);
  if (basePrecision !== 'float32' && tensorBackend.backend !== 'onnx' && tensorBackend.backend !== 'cpu')
    throw new UserError({
      code: 'no-such-precision',
      message: `the backend ${tensorBackend.backend} cannot keep a base in ${basePrecision}`,
      help: 'leave out `base_precision`, or compute on the processor with `resources: { backend: onnx }`',
    });
  const model = await openLanguageModel(folder, {
    precision: weights ?? basePrecision,
    products: weights === undefined ? 'exact' : 'rounded',
    onNote: note,
  });
  const leftNote = floatProjectionsNote(model.config, basePrecision);
  if (leftNote !== undefined) note(leftNote);
  if (tokenizer.vocabularySize > model.config.vocabularySize)
    throw new UserError({
      code: 'vocabulary-mismatch',
      message: `the tokenizer in ${folder} has ${tokenizer.vocabularySize} tokens, its model ${model.config.vocabularySize}`,
      help: 'a model works only with the tokenizer that it was trained with',
    });
  const endTokens = await readEndTokens(folder);
  return { model, tokenizer, tensorBackend, endTokens, [Symbol.dispose]: () => model.dispose() };
}

/** Throws if the backend that was opened does not multiply in this precision. */
function checkPrecision(precision: ProductPrecision, { backend }: TensorBackendInfo): void {
  const available = halfPrecisions();
  if (precision === 'float32' || available.includes(precision)) return;
  const others = available.map((name) => `\`precision: ${name}\``);
  throw new UserError({
    code: 'no-such-precision',
    message: `the backend ${backend} does not multiply in ${precision} on this machine`,
    help: `${others.length === 0 ? 'leave out `precision`' : `use ${others.join(' or ')}`}, or use another backend: ${whoHasHalf}`,
  });
}

/**
 * The resources of a stage that multiplies in this precision: where `auto` would choose onnx, a processor that has bf16
 * computes it with TensorFlow, if that is installed.
 */
export async function resourcesFor(
  precision: ProductPrecision,
  resources: StageAction['resources'],
): Promise<StageAction['resources']> {
  const isOpen = precision === 'bf16' && (resources.backend ?? 'auto') === 'auto';
  if (!isOpen || installedTensorflow() === undefined || !multipliesBfloat16()) return resources;
  return (await suitableBackend()) === 'onnx' ? { ...resources, backend: 'tensorflow' } : resources;
}

/** A GPU that was chosen but cannot be opened is replaced by the processor, with a note; one that was asked for is an error. */
async function openBackend(
  resources: StageAction['resources'],
  onNote: (note: string) => void,
): Promise<TensorBackendInfo> {
  const chosen = { ...(await chosenBackend(resources)), onNote };
  try {
    return await openTensorBackend(chosen);
  } catch (cause) {
    if ((resources.backend ?? 'auto') !== 'auto' || chosen.backend === 'onnx') throw cause;
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    onNote(`the backend ${chosen.backend} cannot be used, so onnx computes on the processor: ${reason}`);
    return openTensorBackend({ ...chosen, backend: 'onnx' });
  }
}

/** The tensor backend that `resources:` asks for, or the best for this machine. */
async function chosenBackend({
  backend = 'auto',
  threads,
}: StageAction['resources']): Promise<TensorBackendOptions> {
  if (backend === 'auto') return { backend: await suitableBackend(), threads };
  if (isBackend(backend)) return { backend, threads };
  throw new UserError({
    code: 'unknown-backend',
    message: `there is no tensor backend \`${backend}\``,
    help: 'choose `auto`, `onnx`, `webgpu`, `cuda`, `tensorflow` or `cpu`',
  });
}

/** CUDA or else TensorFlow if it is installed and there is an NVIDIA GPU, WebGPU on any other; on the CPU, onnx is faster. */
async function suitableBackend(): Promise<TensorBackendName> {
  const [hasCuda, hasTensorflow] = [installedCuda() !== undefined, installedTensorflow() !== undefined];
  if ((hasCuda || hasTensorflow) && hasNvidiaGpu()) return hasCuda ? 'cuda' : 'tensorflow';
  return (await hardwareAdapter()) === undefined ? 'onnx' : 'webgpu';
}

const isBackend = (name: string): name is TensorBackendName =>
  TENSOR_BACKENDS.some((backend) => backend === name);

/** What a computation with a model is checked against before the model is loaded. */
export interface MemoryBounds {
  /** In bytes. */
  readonly limit: number;
  /** Whether the backend computes on the processor, where a base can be kept in few bits and steps are taken in place. */
  readonly onProcessor: boolean;
  /** What the model's file has in few bits. */
  readonly kept: QuantizedShare | undefined;
}

/**
 * Estimates memory before a model is loaded, on the backends for which that is possible, and says what is expected of a large
 * computation. `check` throws above the limit.
 */
export async function expectedMemory(
  folder: string,
  {
    resources,
    host,
  }: { readonly resources: StageAction['resources']; readonly host: Pick<StageHost, 'report'> },
  check: (model: ModelConfig, bounds: MemoryBounds) => number | Promise<number>,
): Promise<{ readonly expected_memory?: number }> {
  const { backend } = await chosenBackend(resources);
  const isKnown = backend === 'onnx' || backend === 'webgpu' || backend === 'cuda';
  if (!isKnown || (await endpointModel(folder)) !== undefined) return {};
  const limit = resources.memory ?? (await memoryOfDevice(backend)) ?? memoryLimit(undefined);
  const onProcessor = backend === 'onnx';
  const model = await readModelConfig(folder);
  const kept = await keptShare(folder, model);
  const expected = Math.round(await check(model, { limit, onProcessor, kept }));
  if (expected >= LEAST_NOTED)
    host.report({
      ...{ type: 'note', level: 'info' },
      message: `expected to take ${gigabytes(expected)} of memory, of ${gigabytes(limit)} that are available`,
    });
  return { expected_memory: expected };
}

/** Bytes from which the expected memory is worth a line. */
const LEAST_NOTED = 2e9;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** In bytes; undefined for a backend that computes in the machine's memory, or where the system does not say. */
async function memoryOfDevice(backend: TensorBackendName): Promise<number | undefined> {
  if (backend === 'webgpu') return (await hardwareAdapter())?.memory;
  return backend === 'cuda' ? nvidiaGpus()[0]?.memory : undefined;
}
