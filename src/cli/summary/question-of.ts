import type { ResponseRecord } from '../../stages/ports/response-record.ts';

/** The instruction as the row has it; else the end of the prompt, where a template puts the question. */
export function questionOf({ fields, prompt }: ResponseRecord): string {
  const { instruction, input } = fields;
  if (typeof instruction !== 'string') return prompt.trim().slice(-200);
  return typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction;
}
