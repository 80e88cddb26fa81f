import type { StageAction } from '../runtime/stage/stage-action.ts';
import type { StageHost } from '../runtime/stage/stage-definition.ts';
import type { KnownPortType, PortReaders, PortWriters } from './ports/port-contents.ts';

/** Input port -> the port types it can be given; a trailing `?` in the name's type marks it optional. */
export type InputTypes = Readonly<Record<string, KnownPortType | undefined>>;
export type OutputTypes = Readonly<Record<string, KnownPortType>>;

/** What a stage's code is given: its configuration, and its ports as typed content rather than paths. */
export interface StageRun<Config, Inputs extends InputTypes, Outputs extends OutputTypes> {
  readonly config: Config;
  readonly inputs: {
    readonly [Port in keyof Inputs]: Inputs[Port] extends KnownPortType
      ? PortReaders[Inputs[Port]]
      : PortReaders[NonNullable<Inputs[Port]>] | undefined;
  };
  readonly outputs: { readonly [Port in keyof Outputs]: PortWriters[Outputs[Port]] };
  /** For a stage that maps parts: the one at hand; undefined where the input has no parts. */
  readonly part: string | undefined;
  /** A private folder kept under the stage's key, for resuming after an interruption. */
  readonly statePath: string;
  readonly resources: StageAction['resources'];
  readonly host: StageHost;
}
