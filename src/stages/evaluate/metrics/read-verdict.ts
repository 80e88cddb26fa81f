export type Verdict = 'a' | 'b' | 'tie';

const verdicts: Readonly<Record<string, Verdict>> = { A: 'a', B: 'b', C: 'tie', TIE: 'tie' };

/**
 * What a judge of two answers decided: the last of `[[A]]`, `[[B]]`, `[[C]]` in its answer, as MT-Bench's prompts ask for
 * it (Zheng et al. 2023), or an answer that is one of these letters or `tie` alone.
 */
export function readVerdict(answer: string): Verdict | undefined {
  const marked = [...answer.matchAll(/\[\[\s*(a|b|c|tie)\s*\]\]/gi)].at(-1)?.[1];
  const alone = /^\W{0,3}(a|b|c|tie)\W{0,3}$/i.exec(answer.trim())?.[1];
  return verdicts[(marked ?? alone ?? '').toUpperCase()];
}
