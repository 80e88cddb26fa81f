/** Why a stage did not finish. */
export type Failure =
  | { readonly kind: 'stage-error'; readonly code: string; readonly message: string; readonly help?: string }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string }
  | { readonly kind: 'timeout'; readonly milliseconds: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly message: string }
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'missing-output'; readonly output: string }
  | { readonly kind: 'source-changed'; readonly path: string }
  | { readonly kind: 'storage'; readonly code: string; readonly path: string; readonly message: string }
  | { readonly kind: 'interrupted' };
