import type { FaultyRecord, Json, JsonObject, RecordPlace } from '../../core/index.ts';
import type { StageAction, StageResources } from './stage-action.ts';

/** The type of a port's content, such as `records`: a name that the runtime only compares. */
export type PortType = string;

export interface InputPort {
  /** `file` accepts every type. */
  readonly accepts: readonly PortType[];
  readonly required: boolean;
  /**
   * What may be bound. `one`: an output without parts, or one of its parts. `each`: also an output with parts, such as
   * split's; the stage then runs once for each, and all its outputs have those parts.
   */
  readonly parts: 'one' | 'each';
  /** Whether a map of names to outputs may be bound, too: the inputs are then `port.name`, without `port` itself. */
  readonly named?: true;
  /** The alternative to binding a required port, as half a sentence: `or set ...`. */
  readonly help?: string;
}

export interface OutputPort {
  readonly type: PortType;
  /** Named parts that this stage makes, as split does, without the parts of an `each` port. */
  readonly parts?: readonly string[];
}

/** A stage's ports, in order: a bare `from:` binds the first input, and a bare reference means the first output. */
export interface StagePorts {
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
}

/** A mistake in a configuration that JSON Schema cannot express, such as a template that does not parse. */
export interface ConfigProblem {
  /** A JSON pointer into `with`: `/template/prompt`; empty for `with` itself, such as when a field is missing. */
  readonly pointer: string;
  /** Stable and greppable, for example `bad-shares`. */
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** A compiled JSON Schema validator, with ajv's error objects. */
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

/** Everything that checking, planning and keys need to know about a stage. Having it loads none of the stage's code. */
export interface StageDefinition {
  /** The stage's name in `uses:`. */
  readonly name: string;
  /** Part of the key: it changes whenever the stage writes other bytes for the same inputs. */
  readonly version: number;
  /** The version for a configuration, if bytes change for some configurations only. */
  readonly versionOf?: (config: JsonObject) => number;
  readonly schema: ConfigSchema;
  readonly validate: SchemaValidator;
  /** Names that users of other programs may write -> help that says what the field is called here. */
  readonly peerFields?: ReadonlyMap<string, string>;
  /** The same for values of their fields. */
  readonly peerValues?: ReadonlyMap<string, string>;
  /** A pure function of a valid configuration with its defaults. */
  readonly ports: (config: JsonObject) => StagePorts;
  /** Finds mistakes that the schema cannot; called with a configuration that the schema accepts, and what is beside it. */
  readonly check?: (config: JsonObject, resources?: StageResources) => readonly ConfigProblem[];
  /**
   * `inline`: in the command's own process, for short work in little memory. `child`: in its own process, for work that
   * takes long or much memory, or that may crash. `shared`: in a process that serves one stage after another, for a stage
   * that leaves nothing behind in memory.
   */
  readonly process: 'inline' | 'shared' | 'child';
  /** How long its process may take to stop before it is killed, if less than the 10 s that others have. */
  readonly graceMilliseconds?: number;
  /** Of `accelerator` stages, one runs at a time. */
  readonly device: 'none' | 'accelerator';
  /** Environment variables, such as an API key, that its process reads besides those that every program needs. */
  readonly environment?: (config: JsonObject) => readonly string[];
  /**
   * Throws a UserError if a source's small files show that the stage cannot use it, such as a model of a family that is
   * not supported. Called for a local source when the stage is planned, for a remote one before its large files are
   * downloaded.
   */
  readonly inspect?: (source: SourceToInspect) => Promise<void>;
  /** Set if the stage hands its inputs to a program of the user's, which could write to them. */
  readonly runsUserCode?: true;
  /** Imports the stage's code, only when it runs. */
  readonly load: () => Promise<StageModule>;
  /** Set for a user's stage: its code, which is bundled and runs in its own process. */
  readonly code?: OwnCode;
  /** Set if a longer run can continue from what a shorter one kept in `checkpointPath`. */
  readonly horizon?: Horizon;
  /** Set if the stage caches results of single examples in `memoPath`. */
  readonly memo?: Memo;
  /** Set if several actions can share the stage's work. */
  readonly shards?: ShardedStage;
  /**
   * The input port whose records the outputs are made of, under the same ids; or for an output record's id the port and the
   * id there. It leads from a faulty record to its line.
   */
  readonly recordsPort?: string | ((id: string) => RecordOrigin | undefined);
  /** Finds output records in the stage's sources by reading those again. Called only for a failure's records. */
  readonly locate?: (request: RecordSearch) => Promise<RecordPlaces>;
}

/** The length of a stage's work, such as its epochs. */
export interface Horizon<Config = JsonObject> {
  /** The names of the fields that set it; none if the work before the end depends on them. */
  readonly fields: (config: Config) => readonly string[];
  /** What is left to do after the checkpoints with these file names: `trains 1 more epoch`. */
  readonly describe: (config: Config, kept: readonly string[]) => string | undefined;
}

/** What a result for one example depends on besides the example. */
export interface Memo<Config = JsonObject> {
  /** The names of the fields that cannot change it. */
  readonly fieldsApart: (config: Config) => readonly string[];
  /** The input ports whose content can change it. */
  readonly ports: readonly string[];
}

/** A stage whose action may have a `share`. */
export interface ShardedStage {
  /**
   * Writes an output from what the actions of all shares wrote for it, in their order: the bytes that one action without a
   * share writes. `parts` and `output` are absolute paths of files.
   */
  readonly join: (parts: readonly string[], output: string) => Promise<void>;
}

export interface SourceToInspect<Config = JsonObject> {
  /** The stage's, with its sources as they are written. */
  readonly config: Config;
  /** A JSON pointer to the field that names the source. */
  readonly pointer: string;
  /** The file or folder, named so in errors. A remote folder may still lack its large files. */
  readonly path: string;
}

export interface OwnCode {
  /** Absolute path of the module that exports `run`. */
  readonly entry: string;
  /** The part of stage.yaml that decides how contents are read and written. */
  readonly ports: JsonObject;
}

export interface RecordSearch<Config = JsonObject> {
  readonly config: Config;
  readonly ids: readonly string[];
}

/** Where a record comes from: an input port and its id there. */
export interface RecordOrigin {
  readonly port: string;
  readonly id: string;
}

/** The places of records by their ids. A record that was not found is absent. */
export type RecordPlaces = ReadonlyMap<string, RecordPlace>;

/** A stage's code. */
export interface StageModule {
  /**
   * Reads the action's inputs and writes all of its outputs, at the paths that the action names. Throws a UserError for
   * what the user can fix; anything else that is thrown is a bug. Returns measurements of the run (tokens a second, peak
   * memory), which are recorded but never part of an output.
   */
  readonly run: (action: StageAction, host: StageHost) => Promise<Readonly<Record<string, Json>>>;
}

/** What a running stage gets from its host. */
export interface StageHost {
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

export type StageReport =
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total?: number;
      /** The unit of the count: `step`, `record`, `answer`. */
      readonly unit: string;
      /** Live figures for people, the most important first: loss, tokens_per_second. */
      readonly figures?: Readonly<Record<string, number>>;
      /** A shorter count inside the current unit, such as the batches of an evaluation. */
      readonly phase?: { readonly name: string; readonly done: number; readonly total: number };
    }
  | StageNote;

/** Warnings are kept with the result, and repeated whenever it is reused. */
export interface StageNote {
  readonly type: 'note';
  readonly level: 'info' | 'warning';
  readonly message: string;
  /** The first records that it is about. */
  readonly records?: readonly FaultyRecord[];
}

/** The stages that a pipeline can use, by name. */
export type StageRegistry = ReadonlyMap<string, StageDefinition>;
