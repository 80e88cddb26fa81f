import type { Json, JsonObject, RecordPlace } from '../../core/index.ts';
import type { StageAction } from './stage-action.ts';

/** The kind of content that flows through a port. The runtime compares these names and never looks inside. */
export type PortType = string;

export interface InputPort {
  /** `file` among them accepts content of every type. */
  readonly accepts: readonly PortType[];
  readonly required: boolean;
  /**
   * `one`: takes one content. `each`: takes every part of what it is given, and the stage runs once a part;
   * all of its outputs then have those parts.
   */
  readonly parts: 'one' | 'each';
  /** What else could be done where the port is needed and nothing is bound to it, as half a sentence: `or set ...`. */
  readonly help?: string;
}

export interface OutputPort {
  readonly type: PortType;
  /** Named parts that this stage itself makes, as split does. Parts that come from an `each` port are not listed. */
  readonly parts?: readonly string[];
}

/** A stage's ports, in order: the first input is what a bare `from:` binds, the first output what a bare reference means. */
export interface StagePorts {
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
}

/** A mistake in a configuration that its JSON Schema cannot express, such as a template that does not parse. */
export interface ConfigProblem {
  /** A JSON pointer into `with`, for example `/template/prompt`. */
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** How one problem found by a compiled JSON Schema validator is reported: ajv's own error objects. */
export interface SchemaValidator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Record<string, unknown>;
  readonly message?: string;
  readonly data?: unknown;
}

/** A JSON Schema (draft-07) with tuneloom's own annotations. */
export interface ConfigSchema extends JsonObject {}

/** Everything that checking, planning and keying need of a stage. Having it loads none of the stage's code. */
export interface StageDefinition {
  /** What `uses:` says. */
  readonly name: string;
  /** Part of the key: it changes whenever the bytes that the stage writes for the same inputs change. */
  readonly version: number;
  readonly schema: ConfigSchema;
  readonly validate: SchemaValidator;
  /** A pure function of a configuration that is valid and has its defaults. */
  readonly ports: (config: JsonObject) => StagePorts;
  /** Mistakes beyond the schema's reach; called with a configuration that the schema accepts. */
  readonly check?: (config: JsonObject) => readonly ConfigProblem[];
  /**
   * A `child` stage runs in a process of its own; a `shared` one, which must leave nothing behind in memory, in a process
   * that runs one after the other. An `accelerator` stage runs one at a time on the device.
   */
  readonly process: 'inline' | 'shared' | 'child';
  readonly device: 'none' | 'accelerator';
  /** Environment variables that its process reads beside what every program needs, such as an API key. */
  readonly environment?: (config: JsonObject) => readonly string[];
  readonly load: () => Promise<StageModule>;
  /** Given for a stage of the user's own: where its code stands. It is bundled, and runs in a process of its own. */
  readonly code?: OwnCode;
  /** Set where a longer run can go on from what a shorter one kept in `checkpointPath`. */
  readonly horizon?: Horizon;
  /** Set where the stage remembers results of single examples in `memoPath`. */
  readonly memo?: Memo;
  /** The input port whose records the outputs are made of, under the same ids. Along it a record is followed to its source. */
  readonly recordsPort?: string;
  /** Finds records of its output in the stage's sources by reading them again. Called only after a failure that names them. */
  readonly locate?: (request: RecordSearch) => Promise<RecordPlaces>;
}

/** How far a stage goes. */
export interface Horizon<Config = JsonObject> {
  /** The fields that say it, by name; none where what is done before the end depends on them. */
  readonly fields: (config: Config) => readonly string[];
  /** What is left to do after what the folder of checkpoints keeps, by its files' names: `trains 1 more epoch`. */
  readonly describe: (config: Config, kept: readonly string[]) => string | undefined;
}

/** What a result for one example depends on beside the example. */
export interface Memo<Config = JsonObject> {
  /** The fields that cannot change it, by name. */
  readonly fieldsApart: (config: Config) => readonly string[];
  /** The input ports whose whole content can. */
  readonly ports: readonly string[];
}

export interface OwnCode {
  /** Absolute path of the module that exports `run`. */
  readonly entry: string;
  /** What of stage.yaml decides how the code's contents are read and written. */
  readonly ports: JsonObject;
}

export interface RecordSearch<Config = JsonObject> {
  readonly config: Config;
  readonly ids: readonly string[];
}

/** Where records stand, by their ids; one that was not found is absent. */
export type RecordPlaces = ReadonlyMap<string, RecordPlace>;

/** A stage's code. */
export interface StageModule {
  /**
   * Reads the action's inputs and writes its outputs, all of them below the paths that the action names.
   * Throws a UserError for what the user can fix; anything else that is thrown is a bug.
   * Returns measurements of the run (tokens a second, peak memory), which are recorded but never part of an output.
   */
  readonly run: (action: StageAction, host: StageHost) => Promise<Readonly<Record<string, Json>>>;
}

/** What a running stage may say to the world outside. */
export interface StageHost {
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

export type StageReport =
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total?: number;
      /** What is counted: `step`, `record`, `answer`. */
      readonly unit: string;
      /** Live figures for a person: loss, learning_rate, tokens_per_second. */
      readonly figures?: Readonly<Record<string, number>>;
    }
  | { readonly type: 'note'; readonly level: 'info' | 'warning'; readonly message: string };

/** The stages that a pipeline can use, by name. */
export type StageRegistry = ReadonlyMap<string, StageDefinition>;
