import type { Json } from '../../json.ts';
import type { Failure } from '../event/failure.ts';
import type { StageReport } from '../stage/stage-definition.ts';

/** What a stage measured about its own run. */
export type Measurements = Readonly<Record<string, Json>>;

/** What a stage process tells its parent. `finished` or `failed` is its last word. */
export type StageMessage =
  | { readonly type: 'report'; readonly report: StageReport }
  | { readonly type: 'finished'; readonly measurements: Measurements }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a parent tells its stage process: to end within the grace time. */
export interface StopMessage {
  readonly type: 'stop';
}

export const isStopMessage = (message: unknown): message is StopMessage => hasType(message, ['stop']);

/** The channel is private to a parent and the process that it started, so the message's type is proof enough. */
export const isStageMessage = (message: unknown): message is StageMessage =>
  hasType(message, ['report', 'finished', 'failed']);

const hasType = (message: unknown, types: readonly string[]): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  typeof message.type === 'string' &&
  types.includes(message.type);
