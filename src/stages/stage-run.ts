import type { StageAction } from '../runtime/stage/stage-action.ts';
import type { StageHost } from '../runtime/stage/stage-definition.ts';
import type { KnownPortType, PortReaders, PortWriters } from './ports/port-contents.ts';

/** Input port -> the type its content is read as. A trailing `?` marks a port that need not be bound. */
export type InputTypes = Readonly<Record<string, KnownPortType | `${KnownPortType}?`>>;

/**
 * Output port -> the type of its content. A trailing `?` marks an output that the configuration may leave out;
 * `[part]` marks one whose parts the stage makes itself, as split does.
 */
export type OutputTypes = Readonly<
  Record<string, KnownPortType | `${KnownPortType}?` | `${KnownPortType}[part]`>
>;

type InputContent<Type> = Type extends KnownPortType
  ? PortReaders[Type]
  : Type extends `${infer Known extends KnownPortType}?`
    ? PortReaders[Known] | undefined
    : never;

type OutputContent<Type> = Type extends KnownPortType
  ? PortWriters[Type]
  : Type extends `${infer Known extends KnownPortType}?`
    ? PortWriters[Known] | undefined
    : Type extends `${infer Known extends KnownPortType}[part]`
      ? Readonly<Record<string, PortWriters[Known]>>
      : never;

/** What a stage's code is given: its configuration, and its ports as typed content rather than paths. */
export interface StageRun<Config, Inputs extends InputTypes, Outputs extends OutputTypes> {
  readonly config: Config;
  readonly inputs: { readonly [Port in keyof Inputs]: InputContent<Inputs[Port]> };
  readonly outputs: { readonly [Port in keyof Outputs]: OutputContent<Outputs[Port]> };
  /** For a stage that maps parts: the one at hand; undefined where the input has no parts. */
  readonly part: string | undefined;
  /** A private folder kept under the stage's key, for resuming after an interruption. */
  readonly statePath: string;
  /** Shared by executions whose results for one example are the same; undefined where nothing is to be shared. */
  readonly memoPath: string | undefined;
  /** Shared by executions that differ in how far they go. */
  readonly checkpointPath: string | undefined;
  readonly resources: StageAction['resources'];
  readonly host: StageHost;
}
