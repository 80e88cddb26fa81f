import type { Tokenizer } from '../../../text/tokenizer/tokenizer.ts';

export interface EncodedPair {
  /** At least one token. */
  readonly context: Int32Array;
  /** Empty where the continuation has no token of its own. */
  readonly continuation: Int32Array;
}

/**
 * The tokens of a context and of what continues it, by the rule of lm-evaluation-harness: white space at the context's
 * end goes over to the continuation, whose tokens are those of both together beyond as many as the context has alone.
 * An empty context is the end of a text before.
 */
export function encodePair(
  { encode, endOfText }: Tokenizer,
  pair: { readonly context: string; readonly continuation: string },
): EncodedPair {
  const context = pair.context.trimEnd();
  const continuation = pair.context.slice(context.length) + pair.continuation;
  if (context === '') return { context: Int32Array.of(endOfText), continuation: encode(continuation) };
  const encoded = encode(context);
  return { context: encoded, continuation: encode(context + continuation).subarray(encoded.length) };
}
