import { isObject, type Json } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';

/** What a stage measured about its own run. */
export type Measurements = Readonly<Record<string, Json>>;

/** What a stage process tells its parent. `finished` or `failed` is its last word about an action. */
export type StageMessage = { readonly type: 'report'; readonly report: StageReport } | LastWord;

export type LastWord =
  | { readonly type: 'finished'; readonly measurements: Measurements }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a parent tells its stage process: to end what it does within the grace time. */
export interface StopMessage {
  readonly type: 'stop';
}

/** What a parent tells a stage process that serves several actions, one after the other. */
export interface ActMessage {
  readonly type: 'act';
  /** The path of the action's file. */
  readonly actionFile: string;
}

export const isStopMessage = (message: unknown): message is StopMessage => hasType(message, ['stop']);

export const isActMessage = (message: unknown): message is ActMessage => hasType(message, ['act']);

/** The channel is private to a parent and the process that it started, so the message's type is proof enough. */
export const isStageMessage = (message: unknown): message is StageMessage =>
  hasType(message, ['report', 'finished', 'failed']);

const hasType = (message: unknown, types: readonly string[]): boolean =>
  isObject(message) && typeof message.type === 'string' && types.includes(message.type);
