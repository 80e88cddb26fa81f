import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';

export interface Assigned {
  readonly part: string;
  readonly record: DataRecord;
}

/** Records of `part` whose prompt also stands in `earlier`, a part that comes before it. */
export interface Leak {
  readonly part: string;
  readonly earlier: string;
  readonly records: readonly DataRecord[];
}

/** What stands in more than one part, by pairs of parts in their order. */
export function findLeaks(assigned: readonly Assigned[], parts: readonly string[]): readonly Leak[] {
  const prompts = new Map(parts.map((part) => [part, new Set<string>()]));
  const keyed = assigned.map(({ part, record }) => ({ part, record, prompt: promptKey(record) }));
  for (const { part, prompt } of keyed) prompts.get(part)?.add(prompt);
  return parts.flatMap((part, index) =>
    parts.slice(0, index).flatMap((earlier) => {
      const leaked = keyed.filter((each) => each.part === part && prompts.get(earlier)?.has(each.prompt));
      return leaked.length === 0 ? [] : [{ part, earlier, records: leaked.map(({ record }) => record) }];
    }),
  );
}

/** What a record asks, whatever its case: instruction and input, else the written prompt, else all of it. */
function promptKey({ id: _, ...row }: DataRecord): string {
  const fields = isObject(row.fields) ? row.fields : row;
  if (typeof fields.instruction === 'string') {
    return JSON.stringify([fields.instruction, fields.input ?? '']).toLowerCase();
  }
  return JSON.stringify(writtenPrompt(row.segments) ?? fields).toLowerCase();
}

function writtenPrompt(segments: DataRecord[string] | undefined): string | undefined {
  if (!Array.isArray(segments)) return undefined;
  const texts = segments.flatMap((segment) =>
    isObject(segment) && segment.role === 'prompt' ? [segment.text] : [],
  );
  return texts.length === 0 ? undefined : texts.join('');
}
