import { type Json, type JsonObject, numberIn, RecordProblems, UserError } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import {
  type Conversation,
  type DataRecord,
  endsItself,
  type FormattedRecord,
  isChat,
  parseFormattedRecord,
  type Segment,
  type TextPiece,
} from '../../text/index.ts';

/** A formatted record, divided where the model begins to write. */
export interface Prompt {
  readonly id: string;
  readonly fields: JsonObject;
  /** The text that the model is given. */
  readonly text: string;
  /** The same text in pieces, which tell a chat template's special tokens from text. */
  readonly pieces: readonly TextPiece[];
  /** Whether a chat template wrote it. */
  readonly isChat: boolean;
  /** What ends an answer in the template of the prompt, if known. */
  readonly endMark: string | undefined;
  /** The same as turns, if the record has them. */
  readonly conversation: Conversation | undefined;
  /** The rest of the record: the response with its end, and its header if the model has to write that too. */
  readonly rest: readonly TextPiece[];
  /** Whether `rest` has its own end, so that no end of text belongs after it. */
  readonly ended: boolean;
  /** The marker before the response, without white space around it. */
  readonly header: string;
  /** The header between prompt and response, if the prompt does not end with it. */
  readonly between: string;
  readonly expected: string;
  /** The responses to choose from, if any. */
  readonly choices: readonly string[];
  /** How many characters at the beginning of the prompt other prompts begin with too. */
  readonly sharedCharacters: number;
  /** 0 for the first or only answer to the prompt. */
  readonly sample: number;
  /** The record's id, for any other answer than the first. */
  readonly sampleOf?: string;
  /** How the record's task wants it answered, with `mode: task`. */
  readonly generation?: JsonObject;
}

/** The prompts of all records. Their ids have to differ: a result is found by its id. */
export async function readPrompts(
  records: AsyncIterable<DataRecord>,
  { start, samples, mode }: Pick<GenerateConfig, 'start' | 'samples' | 'mode'>,
): Promise<readonly Prompt[]> {
  const prompts = new Map<string, Prompt>();
  const problems = new RecordProblems('cannot be used as prompts');
  for await (const record of records) {
    const { id } = record;
    const prompt = problems.collect({ id }, () => {
      if (!prompts.has(id)) return promptOf(parseFormattedRecord(record), start);
      throw new UserError({ code: 'duplicate-id', message: 'another record has the same id' });
    });
    if (prompt !== undefined) prompts.set(id, prompt);
  }
  problems.throwIfAny();
  return withSamples([...prompts.values()], ({ generation }) =>
    mode === 'task' ? taskSamples(generation) : samples,
  );
}

/** Divides a record before its last response: after the prompt, or after the header that follows it. */
export function promptOf(record: FormattedRecord, start: GenerateConfig['start']): Prompt {
  const { id, fields, conversation, segments: written, choices = [] } = record;
  const segments = written.filter(({ role }) => role !== 'tail');
  const answerAt = segments.findLastIndex(({ role }) => role === 'prompt') + 1;
  const answer = segments.slice(answerAt);
  const headers = answer.filter(({ role }) => role === 'header');
  const before = segments.slice(0, answerAt).concat(start === 'header' ? headers : []);
  const given: readonly TextPiece[] = record.prompt ?? before;
  const rest = restAfter(textOf(given), segments, before.length);
  return {
    id,
    fields,
    text: textOf(given),
    pieces: given.map(pieceOf),
    isChat: isChat(record),
    endMark: record.chat?.end,
    conversation,
    rest: rest.map(pieceOf),
    ended: endsItself(rest),
    header: textOf(headers).trim(),
    between: start === 'header' ? '' : textOf(headers),
    expected: textOf(rest.filter(({ role }) => role === 'response')),
    choices,
    sharedCharacters: record.shared_characters ?? 0,
    sample: 0,
    ...(record.generation && { generation: record.generation }),
  };
}

/** The answer, without what the prompt already has of it. */
function restAfter(given: string, segments: readonly Segment[], answerAt: number): readonly Segment[] {
  const answer = segments.slice(answerAt);
  if (!textOf(segments).startsWith(given)) return answer;
  let overlap = given.length - textOf(segments.slice(0, answerAt)).length;
  return answer.flatMap((segment) => {
    const text = segment.text.slice(Math.max(0, overlap));
    overlap -= segment.text.length;
    return text === '' ? [] : [{ ...segment, text }];
  });
}

/** Each prompt once per sample. The first sample keeps the record's id, so that its answer is found in the cache. */
function withSamples(prompts: readonly Prompt[], samplesOf: (prompt: Prompt) => number): readonly Prompt[] {
  const sampled = prompts.flatMap((prompt) =>
    Array.from({ length: samplesOf(prompt) }, (_, sample) =>
      sample === 0 ? prompt : { ...prompt, sample, id: `${prompt.id}#${sample + 1}`, sampleOf: prompt.id },
    ),
  );
  if (sampled.length === prompts.length) return prompts;
  const ids = new Set<string>();
  for (const { id } of sampled) {
    if (ids.has(id))
      throw new UserError({
        code: 'duplicate-id',
        message: `a record and a sample of another have the id ${id}`,
      });
    ids.add(id);
  }
  return sampled;
}

/** How many answers a prompt's task asks for. */
function taskSamples(generation: JsonObject | undefined): number {
  const samples = numberIn(generation?.samples) ?? 1;
  return Number.isInteger(samples) && samples > 0 ? samples : 1;
}

const pieceOf = ({ text, special }: TextPiece): TextPiece => (special ? { text, special } : { text });

/** Equal for what a model reads equally: the text, or the pieces if any is special. No text equals pieces. */
export const identityOf = (pieces: readonly TextPiece[]): string | readonly JsonObject[] =>
  pieces.some(({ special }) => special)
    ? pieces.map(({ text, special = false }) => ({ text, special }))
    : textOf(pieces);

/** The same for a prompt with all that decides where its text begins and its answer ends. */
export const promptIdentity = ({ pieces, isChat, endMark }: Prompt): readonly Json[] => [
  identityOf(pieces),
  isChat,
  endMark ?? null,
];

/** The pieces joined. */
export const textOf = (pieces: readonly TextPiece[]): string => pieces.map(({ text }) => text).join('');

/** An answer without the header that the model wrote before it, and without white space around it. */
export const cleanAnswer = (text: string, header: string): string =>
  (header === '' ? text : text.replaceAll(header, '')).trim();
