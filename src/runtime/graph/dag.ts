import type { JsonObject } from '../../core/index.ts';
import type { DeclaredAt } from '../config/valid-pipeline.ts';
import type { Span } from '../diagnostic/diagnostic.ts';
import type { SourceResolver } from '../stage/source-resolver.ts';
import type { StageResources } from '../stage/stage-action.ts';
import type { StageDefinition, StagePorts } from '../stage/stage-definition.ts';

/** A pipeline whose every reference, type and part has been checked. */
export interface Dag {
  readonly name: string;
  /** Absolute path of the root pipeline file. */
  readonly file: string;
  /** Absolute: paths are shown from there. */
  readonly workingDirectory: string;
  readonly params: JsonObject;
  /** True if `-p` or `--set` changed anything: such runs do not write the lock's stages. */
  readonly overridden: boolean;
  /** In topological order, ties broken by the id's code units. */
  readonly nodes: ReadonlyMap<string, DagNode>;
  /** Sub-pipelines' outputs, such as `mmlu.scores`: the stage they come from, and the names after it. */
  readonly subOutputs: ReadonlyMap<string, { readonly stage: string; readonly names: readonly string[] }>;
  /** A sweep's points in order; a stage that is the same in several is one node. */
  readonly points?: readonly DagPoint[];
  /** Sentences shown after a successful run: what to try next. */
  readonly tryNext: readonly string[];
}

/** A graph with the files that declare it. */
export interface LoadedDag extends Dag {
  /** Absolute paths of the pipeline, its overlays and sub-pipelines, and the stage.yaml of users' stages. */
  readonly files: readonly string[];
}

/** One point of a sweep. */
export interface DagPoint {
  /** `epochs=2,learning_rate=0.0001`. */
  readonly label: string;
  /** The params that the sweep sets here. */
  readonly params: JsonObject;
  /** A stage's id in the pipeline -> its node's id in the graph. */
  readonly stages: ReadonlyMap<string, string>;
}

export interface DagNode {
  /** Its path, and in a sweep's graph its point's label before that, joined by `/`. */
  readonly id: string;
  /** The stages that lead to it by `uses`, outermost first, and its own id in its file: `['mmlu', 'format']`. */
  readonly path: readonly string[];
  /** What distinguishes the points of a sweep that have it. */
  readonly point?: string;
  readonly definition: StageDefinition;
  /** Valid, with defaults, parameters resolved; source fields hold absolute paths or addresses. */
  readonly config: JsonObject;
  readonly ports: StagePorts;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  /** For each output the names of its parts, or undefined where it has none. */
  readonly outputParts: Readonly<Record<string, readonly string[] | undefined>>;
  /** Fields of `config` that the key replaces by their content. */
  readonly sources: readonly SourceField[];
  /** The modules of a user's stage; absent until they have been read, and for built-in stages. */
  readonly modules?: ModuleDigests;
  readonly timeoutMs: number | undefined;
  readonly retries: number;
  readonly resources: StageResources;
  /**
   * Where the stage is, or what a user edits to change the field of `with` that a JSON pointer names: its value, the
   * parameter that fills it, the line of an overlay that removes it, its default in a user's stage.yaml.
   */
  readonly spanOf: (pointer?: string) => Span;
  /** Where `uses` is; absent where the stage's id names what it uses. */
  readonly usesSpan?: Span;
  /** For a user's stage: where its stage.yaml declares a version, ports or a default. */
  readonly declaredAt?: DeclaredAt;
}

/** What decides what a user's code does, by the names that digestModules in `runtime/module` gives it. */
export type ModuleDigests = Readonly<Record<string, string>>;

export interface InputBinding {
  readonly stage: string;
  readonly output: string;
  /** Absent for the whole output, which has parts only where the port takes each of them. */
  readonly part?: string;
  readonly span: Span;
}

export interface SourceField {
  /** A JSON pointer into `config`. */
  readonly pointer: string;
  /** Absolute path of a file or a folder, or the address of a remote source: the key in every map of sources. */
  readonly path: string;
  readonly span: Span;
  /** Present where the source is remote. */
  readonly resolver?: SourceResolver;
  /** That of the stage, with the field's pointer. */
  readonly inspect?: (path: string) => Promise<void>;
}
