import type { TextToScore } from '../../../model/generation/score-texts.ts';

/**
 * The windows over a text in which each of its tokens is rated once: one after the other without overlap, each as long
 * as the model's context, the first beginning with the end of a text before, the last moved back until it is full.
 */
export function rollingWindows(
  text: { readonly id: string; readonly tokens: Int32Array },
  { window, endOfText }: { readonly window: number; readonly endOfText: number },
): readonly TextToScore[] {
  const whole = Int32Array.of(endOfText, ...text.tokens);
  const windows: TextToScore[] = [];
  for (let done = 1; done < whole.length; done += window) {
    const end = Math.min(done + window, whole.length);
    const begin = Math.max(0, end - window - 1);
    windows.push({ id: text.id, tokens: whole.subarray(begin, end), from: done - begin });
  }
  return windows;
}
