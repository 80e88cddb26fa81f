import { refusals } from '../../../src/tensor/onnx/kernels/refusals.ts';
import type { SpecResult } from './run-suite.ts';

/** Why a test of tfjs-core fails, by its title. If it passes, the suite fails. */
const byTitle: Readonly<Record<string, string>> = {
  'exp: int32': 'the last bit of a float differs',
  'tan: numbers exceed float32 precision': 'the last bit of a float differs',
  'mirrorPad: grad': 'a gradient of tfjs that leaves out the mirrored elements',
  'mirrorPad: gradient with clones': 'a gradient of tfjs that leaves out the mirrored elements',
};

const REFUSED = /The onnx backend does not implement (\w+): /;
const OTHER_TYPE =
  /The onnx backend (?:holds float32, int32 and bool tensors, not|has no) (string|complex64)/;

/** Why this test fails: its own reason, that of a refused kernel, or an element type; undefined if none is known. */
export function exclusionOf({ name, failures }: SpecResult): string | undefined {
  const own = byTitle[name];
  if (own !== undefined) return own;
  const text = failures.join('\n');
  const type = OTHER_TYPE.exec(text)?.[1];
  if (type !== undefined) return `tensors of type ${type}`;
  const kernel = REFUSED.exec(text)?.[1];
  return Object.entries(refusals).find(([refused]) => refused === kernel)?.[1];
}

/** Listed titles without a failing test. */
export function needless(results: readonly SpecResult[]): string[] {
  const failed = new Set(results.flatMap(({ name, status }) => (status === 'failed' ? [name] : [])));
  return Object.keys(byTitle).filter((title) => !failed.has(title));
}
