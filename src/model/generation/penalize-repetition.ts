/**
 * Makes tokens that already stand in the text less likely (a penalty above 1): positive logits are divided by it, negative
 * ones multiplied, once for each token (Keskar et al. 2019, as transformers has it). Leaves the given logits as they are.
 */
export function penalizeRepetition(
  logits: Float32Array,
  { penalty, text }: { readonly penalty: number; readonly text: Iterable<number> },
): Float32Array {
  if (penalty === 1) return logits;
  const penalized = logits.slice();
  for (const token of new Set(text)) {
    const logit = logits[token];
    if (logit !== undefined) penalized[token] = logit < 0 ? logit * penalty : logit / penalty;
  }
  return penalized;
}
