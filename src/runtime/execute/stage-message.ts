import { isObject, type Json } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';

/** What a stage measured about its own run. */
export type Measurements = Readonly<Record<string, Json>>;

/** What a stage process sends its parent. */
export type StageMessage = { readonly type: 'report'; readonly report: StageReport } | FinalMessage;

/** How an action ended. */
export type FinalMessage =
  | { readonly type: 'finished'; readonly measurements: Measurements }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a parent sends its stage process: an action to run, or the request to stop the one that runs. */
export type ParentMessage = { readonly type: 'act'; readonly actionFile: string } | { readonly type: 'stop' };

// The channel is private to a parent and the process that it started, so the type alone identifies a message.
export const isParentMessage = (message: unknown): message is ParentMessage =>
  hasType(message, ['act', 'stop']);

export const isStageMessage = (message: unknown): message is StageMessage =>
  hasType(message, ['report', 'finished', 'failed']);

const hasType = (message: unknown, types: readonly string[]): boolean =>
  isObject(message) && typeof message.type === 'string' && types.includes(message.type);
