import type { ResponseRecord } from '../text/index.ts';

/** The response, the likeliest of the choices, or the log-likelihood of the response. */
export function answerText({ response, choices, log_likelihood }: ResponseRecord): string {
  if (response !== undefined) return response;
  const likeliest = choices?.reduce((best, next) =>
    next.log_likelihood > best.log_likelihood ? next : best,
  );
  return likeliest?.text ?? `log-likelihood ${log_likelihood?.toFixed(3)}`;
}

/** The row's instruction, else the end of the prompt, where a template puts the question. */
export function questionOf({ fields, prompt }: ResponseRecord): string {
  const { instruction, input } = fields;
  if (typeof instruction !== 'string') return prompt.trim().slice(-PROMPT_SHOWN);
  return typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction;
}

const PROMPT_SHOWN = 500;
