import type { Json, JsonObject } from '../json.ts';
import { UserError } from '../user-error.ts';
import type { ChatMessage, Conversation } from './chat/chat-message.ts';
import type { FormattedRecord, Segment, SegmentRole } from './formatted-record.ts';
import type { DataRecord } from './record.ts';

/** Throws a UserError where the value is no object with a string `id`. `place` says where the value stands. */
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
] satisfies readonly SegmentRole[];

/** A record that went through `format`; throws a UserError for one that did not. */
export function parseFormattedRecord(record: DataRecord): FormattedRecord {
  const { id, segments, fields, conversation, choices, shared_characters } = record;
  if (Array.isArray(segments) && segments.every(isSegment)) {
    return {
      id,
      segments,
      fields: isObject(fields) ? fields : {},
      ...(isConversation(conversation) ? { conversation } : {}),
      ...(isTextList(choices) ? { choices } : {}),
      ...(typeof shared_characters === 'number' ? { shared_characters } : {}),
    };
  }
  throw new UserError({
    code: 'not-formatted',
    message: 'it was not written with a template',
    help: 'put a `format` stage in front of this one',
  });
}

const isSegment = (value: Json): value is Segment & JsonObject =>
  isObject(value) &&
  typeof value.role === 'string' &&
  roles.includes(value.role) &&
  typeof value.text === 'string' &&
  (value.special === undefined || value.special === true);

const isConversation = (value: Json | undefined): value is Conversation & JsonObject =>
  isObject(value) &&
  Array.isArray(value.messages) &&
  value.messages.length > 0 &&
  value.messages.every(isMessage);

const isMessage = (value: Json): value is ChatMessage =>
  isObject(value) && typeof value.role === 'string' && typeof value.content === 'string';

const isTextList = (value: Json | undefined): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** `undefined` is what a field that is absent holds. */
export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
