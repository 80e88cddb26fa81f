import type { Span } from '../diagnostic/diagnostic.ts';

/** `stage[.output][.part]` as written. What the names after the stage mean depends on that stage's outputs. */
export interface Reference {
  readonly text: string;
  readonly stage: string;
  readonly names: readonly string[];
  readonly span: Span;
}

/** Undefined where the text has not that form. */
export function parseReference(text: string, span: Span): Reference | undefined {
  const [stage, ...names] = text.split('.');
  const wellFormed =
    stage !== undefined && names.length <= 2 && [stage, ...names].every((name) => /^[\w-]+$/.test(name));
  return wellFormed ? { text, stage, names, span } : undefined;
}
