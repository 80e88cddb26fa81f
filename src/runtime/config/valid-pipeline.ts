import type { JsonObject } from '../../core/index.ts';
import type { Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import type { StageResources } from '../stage/stage-action.ts';
import type { StageDefinition } from '../stage/stage-definition.ts';
import type { YamlNode } from '../yaml/yaml-doc.ts';
import type { CheckedConfig } from './check-config.ts';

/** A pipeline whose fields satisfy their schemas, with parameters and defaults filled in. References are not followed yet. */
export interface ValidPipeline {
  readonly name: string;
  readonly file: TextFile;
  readonly params: JsonObject;
  /** Whether the command line changed anything. */
  readonly overridden: boolean;
  readonly tryNext: readonly string[];
  /** By id, in the order of the file. */
  readonly stages: ReadonlyMap<string, PipelineStage>;
  /** Stages that an overlay removed, and where. */
  readonly removedStages: ReadonlyMap<string, Span>;
  /** Its inputs and outputs where another pipeline uses it as a stage. */
  readonly inputs: ReadonlyMap<string, PipelineInput>;
  readonly outputs: ReadonlyMap<string, PipelineOutput>;
}

export interface PipelineInput {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly span: Span;
}

export interface PipelineOutput {
  readonly reference: string;
  readonly span: Span;
}

export interface PipelineStage {
  readonly id: string;
  readonly idSpan: Span;
  /** What its inputs are bound to. */
  readonly from: readonly WrittenBinding[];
  /** False where a mistake in `from` has been reported, so that no input is reported as missing. */
  readonly fromComplete: boolean;
  /** Undefined where mistakes leave its ports unknown: then only the existence of what it refers to is checked. */
  readonly setup: StageSetup | undefined;
  /** The pipeline that the stage uses; such a stage has no setup. */
  readonly pipeline?: ValidPipeline;
}

export interface StageSetup extends CheckedConfig {
  readonly definition: StageDefinition;
  /** The stage's `with` as written. */
  readonly written: YamlNode;
  readonly withSpan: Span;
  readonly usesSpan: Span | undefined;
  /** Set for a user's stage. */
  readonly declaredAt: DeclaredAt | undefined;
  readonly timeoutMs: number | undefined;
  readonly retries: number;
  readonly resources: StageResources;
}

/** Where a stage.yaml declares the version, the ports, or the default of the field at a path; undefined where it does not. */
export type DeclaredAt = (what: 'version' | 'ports' | readonly string[]) => Span | undefined;

export interface WrittenBinding {
  /** Undefined where `from` is a bare reference, which binds the first port. */
  readonly port: string | undefined;
  readonly portSpan: Span;
  readonly reference: string;
  readonly span: Span;
}
