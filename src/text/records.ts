import { isObject, type Json, type JsonObject, UserError } from '../core/index.ts';
import type { ChatMessage, Conversation } from './chat/chat-message.ts';

/** One row of data. All fields but the id are the user's. */
export interface DataRecord {
  /** Given in the data, or the content's hash with an ordinal among equal rows. */
  readonly id: string;
  readonly [field: string]: Json;
}

/** The field that holds the name of a record's source, where records of several sources are mixed. */
export const datasetField = 'dataset';

/**
 * Who writes a segment of text. `prompt` is what the model is given. `header` is the marker between prompt and response
 * (`### Response:`), which a model may have to write itself. `response` is what it should answer. `end` is the mark
 * that a chat template puts after a response (`<|im_end|>`), which the model writes when it is done; it is `end_text`
 * where the tokenizer has no special token for it. `tail` is what the
 * template writes after the last one, such as a line feed, which the model neither reads nor writes. `masked` is an
 * answer, or reasoning, that the model reads but never learns, whatever collate trains on.
 */
export type SegmentRole = 'prompt' | 'header' | 'response' | 'end' | 'tail' | 'masked' | 'end_text';

/**
 * A piece of text. If special, it is the name of one special token; `perhaps` if it is only with a tokenizer that has
 * such a token, because a hand-written template wrote it. Otherwise it is plain text.
 */
export interface TextPiece {
  readonly text: string;
  readonly special?: true | 'perhaps';
}

export interface Segment extends TextPiece {
  readonly role: SegmentRole;
}

/** A record as the model reads it: its text is the segments in sequence. */
export interface FormattedRecord {
  readonly id: string;
  readonly segments: readonly Segment[];
  /** The prompt as turns, if a chat template wrote it: endpoints are given turns, not one text. */
  readonly conversation?: Conversation;
  /** What a model is given to write the last answer, where that is not what is before the answer. */
  readonly prompt?: readonly TextPiece[];
  /** Set if a chat template wrote it. */
  readonly chat?: ChatMarks;
  /** The responses to choose from, if any; the right one is also the response. */
  readonly choices?: readonly string[];
  /** How many characters at the beginning of the prompt, such as few shots, other records' prompts share. */
  readonly shared_characters?: number;
  /** How a benchmark's task wants it answered: fields of generate, for `mode: task`. */
  readonly generation?: JsonObject;
  /** Set if the record is for preference tuning. */
  readonly preference?: Preference;
  /** The row that it was made from, for metrics, judges and people. */
  readonly fields: JsonObject;
}

/** What is said of a record's answer: that it is preferred to another, rejected one, or whether it is desirable. */
export type Preference = RejectedAnswer | { readonly desirable: boolean };

interface RejectedAnswer {
  /** The whole text again, with the rejected answer in place of the preferred one. */
  readonly rejected: readonly Segment[];
}

/** What a chat template writes around the turns. */
export interface ChatMarks {
  /** What ends an answer, if anything does: a special token, or text where the tokenizer has no such token. */
  readonly end?: string;
}

/** Whether a chat template wrote the record. It writes the beginning of a text itself where the model needs one. */
export const isChat = ({ chat, conversation }: Pick<FormattedRecord, 'chat' | 'conversation'>): boolean =>
  chat !== undefined || conversation !== undefined;

/** A text as token ids; `segments` tile the ids in order. */
export interface TokenizedText {
  readonly tokens: Int32Array;
  readonly segments: readonly TokenSegment[];
}

/** A formatted record as token ids. */
export interface TokenizedRecord extends TokenizedText {
  readonly id: string;
}

/** One prompt with two answers. It has no tokens itself, so that no stage takes it for a record to learn. */
export interface TokenizedPair {
  readonly id: string;
  readonly chosen: TokenizedText;
  readonly rejected: TokenizedText;
}

/** A prompt with an answer that is desirable or not. */
export interface LabeledText {
  readonly id: string;
  readonly answer: TokenizedText;
  readonly desirable: boolean;
}

export interface TokenSegment {
  readonly role: SegmentRole;
  /** Index after the segment's last token. */
  readonly end: number;
}

/** The content of a `tokens` port: texts to learn, or what preferences compare. */
export type TokenizedRecords =
  | (TokenizedSet<TokenizedRecord> & { readonly preference?: undefined })
  | (TokenizedSet<TokenizedPair> & { readonly preference: 'paired' })
  | (TokenizedSet<LabeledText> & { readonly preference: 'unpaired' });

interface TokenizedSet<Item> {
  readonly records: readonly Item[];
  /** Identity of the vocabulary that made the ids: equal for equal vocabularies, wherever they were loaded from. */
  readonly vocabulary: string;
  /** The id that ends a text. */
  readonly endOfText: number;
}

/** The texts of all records, by the names under which people see them. */
export const namedTexts = (given: TokenizedRecords): readonly TokenizedRecord[] => {
  switch (given.preference) {
    case 'paired':
      return given.records.flatMap(({ id, chosen, rejected }) => [
        { ...chosen, id: `${id} chosen` },
        { ...rejected, id: `${id} rejected` },
      ]);
    case 'unpaired':
      return given.records.map(({ id, answer, desirable }) => ({
        ...answer,
        id: `${id} ${desirable ? 'desirable' : 'undesirable'}`,
      }));
    default:
      return given.records;
  }
};

/** Whether the text has its own end, or ends with what is not learned, so that no end-of-text token belongs after it. */
export const endsItself = (segments: readonly { readonly role: SegmentRole }[]): boolean =>
  segments.some(({ role }) => role === 'end' || role === 'end_text') ||
  ['masked', 'tail'].includes(segments.at(-1)?.role ?? 'prompt');

/** Throws a UserError unless the value is an object with a string `id`. `place` says where the value is. */
export function parseRecord(value: Json, place: string): DataRecord {
  if (isObject(value) && typeof value.id === 'string') return { ...value, id: value.id };
  throw new UserError({
    code: 'bad-record',
    message: `${place}: a record is an object with a string \`id\``,
    help: 'read the data with a `load` stage, which gives each record its id',
  });
}

const roles: readonly string[] = [
  'prompt',
  'header',
  'response',
  'end',
  'tail',
  'masked',
  'end_text',
] satisfies readonly SegmentRole[];

/** A record that `format` wrote; throws a UserError for any other. */
export function parseFormattedRecord(record: DataRecord): FormattedRecord {
  const { id, segments, fields, conversation, prompt, chat, choices, shared_characters } = record;
  const { preference, generation } = record;
  if (Array.isArray(segments) && segments.every(isSegment)) {
    return {
      id,
      segments,
      fields: isObject(fields) ? fields : {},
      ...(isConversation(conversation) ? { conversation } : {}),
      ...(Array.isArray(prompt) && prompt.every(isPiece) ? { prompt } : {}),
      ...(isObject(chat) ? { chat: typeof chat.end === 'string' ? { end: chat.end } : {} } : {}),
      ...(isTextList(choices) ? { choices } : {}),
      ...(typeof shared_characters === 'number' ? { shared_characters } : {}),
      ...(isObject(generation) ? { generation } : {}),
      ...(preference === undefined ? {} : { preference: parsePreference(preference) }),
    };
  }
  throw new UserError({
    code: 'not-formatted',
    message: 'it was not written with a template',
    help: 'put a `format` stage in front of this one',
  });
}

/** Throws for anything else, because a pair without its rejected answer would be learned as an example. */
function parsePreference(value: Json): Preference {
  const { rejected, desirable } = isObject(value) ? value : {};
  if (Array.isArray(rejected) && rejected.every(isSegment)) return { rejected };
  if (typeof desirable === 'boolean') return { desirable };
  throw new UserError({
    code: 'bad-preference',
    message: 'its `preference` is neither a rejected answer nor whether the answer is desirable',
    help: 'let a `format` stage write it, with `preference: paired` or `preference: unpaired`',
  });
}

const isPiece = (value: Json): value is TextPiece & JsonObject =>
  isObject(value) &&
  typeof value.text === 'string' &&
  (value.special === undefined || value.special === true || value.special === 'perhaps');

const isSegment = (value: Json): value is Segment & JsonObject =>
  isPiece(value) && typeof value.role === 'string' && roles.includes(value.role);

const isConversation = (value: Json | undefined): value is Conversation & JsonObject =>
  isObject(value) &&
  Array.isArray(value.messages) &&
  value.messages.length > 0 &&
  value.messages.every(isMessage);

const isMessage = (value: Json): value is ChatMessage => isObject(value) && typeof value.role === 'string';

const isTextList = (value: Json | undefined): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
