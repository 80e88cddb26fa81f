import type { Scale } from './scale.ts';

/** What a person wants done with the answer at hand. */
export type Reply =
  | { readonly type: 'rate'; readonly score: number; readonly note: string | undefined }
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'skip' | 'back' | 'quit' }
  | { readonly type: 'unclear'; readonly problem: string };

/** Reads a line: a score and perhaps a note after it, `n` and a note, `s` or nothing, `b`, `q`. */
export function parseReply(line: string, { lowest, highest }: Scale): Reply {
  const text = line.trim();
  const [, number, note = ''] = /^(-?\d+(?:\.\d+)?)(?:\s+(.*))?$/.exec(text) ?? [];
  if (number !== undefined) {
    const score = Number(number);
    if (score >= lowest && score <= highest)
      return { type: 'rate', score, note: note === '' ? undefined : note };
    return { type: 'unclear', problem: `${number} is not between ${lowest} and ${highest}` };
  }
  if (/^(s|skip|)$/i.test(text)) return { type: 'skip' };
  if (/^(b|back)$/i.test(text)) return { type: 'back' };
  if (/^(q|quit)$/i.test(text)) return { type: 'quit' };
  const [, written] = /^(?:n|note)\s+(.+)$/i.exec(text) ?? [];
  if (written !== undefined) return { type: 'note', note: written };
  return {
    type: 'unclear',
    problem: `a number from ${lowest} to ${highest}, n and a note, s, b or q, please`,
  };
}
