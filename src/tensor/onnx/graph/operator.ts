/** Attributes of an ONNX operator: words, lists of whole numbers, and numbers that are whole unless ONNX has them as floats. */
export type OperatorAttributes = Readonly<Record<string, number | string | readonly number[]>>;

/** An ONNX operator with its attributes. Equal ones are one object, so their number stands for them in a key. */
export interface Operator {
  readonly number: number;
  readonly type: string;
  readonly domain: string;
  readonly attributes: OperatorAttributes;
}

const MICROSOFT = new Set([
  ...['FusedMatMul', 'FastGelu', 'GroupQueryAttention', 'MatMulNBits', 'QuickGelu', 'RotaryEmbedding'],
]);
const known = new Map<string, Operator>();

/** The operator `type` of ONNX's own domain, or of com.microsoft where it is one of ONNX Runtime's own. */
export function operator(type: string, attributes: OperatorAttributes = {}): Operator {
  let signature = type;
  for (const name in attributes) signature += `|${name}=${attributes[name]}`;
  const found = known.get(signature);
  if (found !== undefined) return found;
  const domain = MICROSOFT.has(type) ? 'com.microsoft' : '';
  const made = { number: known.size, type, domain, attributes };
  known.set(signature, made);
  return made;
}
