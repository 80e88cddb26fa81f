import { tensorFormats, type WritableFormat } from '../../formats/index.ts';

/** Name -> its number in `general.file_type`, and the format of most tensors. */
export const ggufTypes = {
  F32: { id: 0, format: 'F32' },
  F16: { id: 1, format: 'F16' },
  BF16: { id: 32, format: 'BF16' },
  Q8_0: { id: 7, format: 'Q8_0' },
  Q4_0: { id: 2, format: 'Q4_0' },
  Q4_K_M: { id: 15, format: 'Q4_K' },
} as const satisfies Readonly<Record<string, { readonly id: number; readonly format: WritableFormat }>>;

/** How a file's weights are stored, by llama.cpp's names. */
export type GgufType = keyof typeof ggufTypes;

interface Tensor {
  /** In the file. */
  readonly name: string;
  /** In the file, with the row size last. */
  readonly shape: readonly number[];
}

/** What the mixture depends on besides the tensor. */
interface MixedModel {
  readonly type: GgufType;
  /** llama.cpp's name. */
  readonly architecture: string;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** In a mixture of experts, else 0. */
  readonly experts: number;
  /** Whether the file has no tensor for the head. */
  readonly tied: boolean;
}

/** The format of a tensor in a file of the given type, as llama.cpp's llama-quant.cpp chooses it. */
export function tensorFormat({ name, shape }: Tensor, model: MixedModel): WritableFormat {
  if (shape.length < 2 || /_norm\.|^position_embd\.|\.ffn_gate_inp\./.test(name)) return 'F32';
  const { format } = ggufTypes[model.type];
  if (format === 'F32' || format === 'F16' || format === 'BF16') return format;
  const columns = shape.at(-1) ?? 0;
  const fits = (each: WritableFormat) => columns % tensorFormats[each].values === 0;
  const isHead = name === (model.tied ? 'token_embd.weight' : 'output.weight');
  const head = fits(format) ? 'Q6_K' : 'Q8_0';
  const wanted = isHead && format !== 'Q8_0' ? head : mixed(name, model);
  const found = fits(wanted) ? wanted : (smallerBlocks.get(wanted) ?? 'F16');
  return fits(found) ? found : 'F16';
}

/** For rows that are no multiple of 256 values. */
const smallerBlocks = new Map<WritableFormat, WritableFormat>([
  ['Q4_K', 'Q5_0'],
  ['Q5_K', 'Q5_1'],
  ['Q6_K', 'Q8_0'],
]);

/** Q4_K_M gives more bits to the tensors that lose most, in some layers. */
function mixed(name: string, model: MixedModel): WritableFormat {
  const { format } = ggufTypes[model.type];
  const [, layer, part] = /^blk\.(\d+)\.(attn_v|attn_qkv|ffn_down)(?:_exps)?\./.exec(name) ?? [];
  if (model.experts === 8 && /\.(attn_v|attn_k)\./.test(name)) return 'Q8_0'; // small beside so many experts
  if (model.experts === 8 && model.type === 'Q4_K_M' && name.includes('.attn_output.')) return 'Q5_K';
  if (model.type !== 'Q4_K_M' || layer === undefined) return format;
  if (needsMoreBits(Number(layer), model.layers)) return 'Q6_K';
  return part !== 'ffn_down' && is70B(model) ? 'Q5_K' : format;
}

/** The first and the last eighth of the layers, and every third of those between. */
function needsMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.trunc(layers / 8);
  return layer < eighth || layer >= Math.trunc((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** The models that llama.cpp knows by this size: values that eight heads share are small enough for more bits. */
const is70B = ({ architecture, layers, heads, keyValueHeads }: MixedModel): boolean =>
  layers === 80 && (architecture === 'qwen2' || (architecture === 'llama' && heads !== keyValueHeads));
