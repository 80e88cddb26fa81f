import type { JsonObject } from '../../core/index.ts';
import type { DeclaredAt } from '../config/valid-pipeline.ts';
import type { Span } from '../diagnostic/diagnostic.ts';
import type { SourceResolver } from '../stage/source-resolver.ts';
import type { StageDefinition, StagePorts } from '../stage/stage-definition.ts';

/** A pipeline whose every reference, type and part has been checked. */
export interface Dag {
  readonly name: string;
  /** Absolute path of the root pipeline file. */
  readonly file: string;
  /** The same as a person would type it. */
  readonly displayPath: string;
  readonly params: JsonObject;
  /** True when `-p` or `--set` changed anything: such runs do not write the lock's stages. */
  readonly overridden: boolean;
  /** In topological order; ties are broken by the id's code units. */
  readonly nodes: ReadonlyMap<string, DagNode>;
  /** What sub-pipelines give, as `mmlu.scores`: the stage within that it comes from, and what is named of that. */
  readonly given: ReadonlyMap<string, { readonly stage: string; readonly names: readonly string[] }>;
  /** Of a sweep, in order: a stage that is the same in several points is one node. */
  readonly points?: readonly DagPoint[];
  /** Sentences shown after a successful run: what to try next. */
  readonly tryNext: readonly string[];
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
  /** What tells a sweep's points that have it from those that do not. */
  readonly point?: string;
  readonly definition: StageDefinition;
  /** Valid, with defaults, parameters resolved; source fields hold absolute paths or addresses. */
  readonly config: JsonObject;
  readonly ports: StagePorts;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  /** For each output the names of its parts, or undefined where it has none. */
  readonly outputParts: Readonly<Record<string, readonly string[] | undefined>>;
  /** Fields of `config` whose content stands in for them in the key. */
  readonly sources: readonly SourceField[];
  /** What the code of a user's stage is made of; absent until it has been read, and for every other stage. */
  readonly modules?: ModuleDigests;
  readonly timeoutMs: number | undefined;
  readonly retries: number;
  readonly resources: { readonly threads?: number; readonly memory?: number; readonly backend?: string };
  /**
   * Where the stage stands, or what a user edits to change the field of `with` that a JSON pointer names: its value, the
   * parameter that fills it, the line of an overlay that takes it away, its default in the stage.yaml of a user's stage.
   */
  readonly spanOf: (pointer?: string) => Span;
  /** Where `uses` stands; absent where the stage's id says it. */
  readonly usesSpan?: Span;
  /** Of a user's stage: what its stage.yaml says where. */
  readonly declaredAt?: DeclaredAt;
}

/** The path of a module from the stage's folder -> its content's digest; `npm:name` -> the package's version. */
export type ModuleDigests = Readonly<Record<string, string>>;

export interface InputBinding {
  readonly stage: string;
  readonly output: string;
  /** Absent: the whole output, which has parts only where the port takes each of them. */
  readonly part?: string;
  readonly span: Span;
}

export interface SourceField {
  /** A JSON pointer into `config`. */
  readonly pointer: string;
  /** Absolute path of a file or a folder; for a remote source its address, under which every map of sources has it. */
  readonly path: string;
  readonly span: Span;
  /** Present where the source is remote. */
  readonly resolver?: SourceResolver;
}
