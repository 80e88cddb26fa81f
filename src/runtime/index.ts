export { err, ok, type Result } from '../core/result.ts';
export type { Holding, HoldingKind, Keeping, KeptHolding } from './collect/holdings.ts';
export { type Collection, planCollection } from './collect/plan-collection.ts';
export { type Removal, removeCollection } from './collect/remove-collection.ts';
export { parseDuration, parseMemory } from './config/quantity.ts';
export type { Diagnostic, Span } from './diagnostic/diagnostic.ts';
export { listOf } from './diagnostic/diagnostic.ts';
export { diagnosticsToJson, renderDiagnostics } from './diagnostic/render-diagnostics.ts';
export { type Rerun, rerunStages } from './execute/rerun-stages.ts';
export type { RunOptions, RunResult } from './execute/run-context.ts';
export { runPipeline } from './execute/run-pipeline.ts';
export { serveStageProcess } from './execute/serve-stage-process.ts';
export { type UpdatedSource, updateSources } from './execute/update-sources.ts';
export type { Dag, DagNode, InputBinding } from './graph/dag.ts';
export { loadPipeline } from './graph/load-pipeline.ts';
export { compareMaterial, type Difference } from './key/compare-material.ts';
export type { Decision, NearestMatch, RunReason } from './plan/decide.ts';
export { describeDifference, describeReason, describeRun, describeWaiting } from './plan/describe-reason.ts';
export { type ExplainedDifference, type Explanation, explainStage } from './plan/explain-stage.ts';
export type { Plan, PlannedStage } from './plan/plan-pipeline.ts';
export { planPipeline } from './plan/plan-pipeline.ts';
export { hideSecrets, secretsIn } from './stage/hide-secrets.ts';
export type { Failure, RunEvent, StageError } from './stage/run-event.ts';
export type {
  AddressProblem,
  FetchRequest,
  SourceFetcher,
  SourceRequest,
  SourceResolvers,
} from './stage/source-resolver.ts';
export type { ActionPort, StageAction } from './stage/stage-action.ts';
export type {
  ConfigProblem,
  ConfigSchema,
  Horizon,
  InputPort,
  Memo,
  OutputPort,
  PortType,
  RecordPlaces,
  RecordSearch,
  SchemaValidator,
  StageDefinition,
  StageHost,
  StageModule,
  StagePorts,
  StageRegistry,
  StageReport,
} from './stage/stage-definition.ts';
export type { ActionRecord } from './store/action-records.ts';
export { readRecord } from './store/action-records.ts';
export { type ContentState, contentState } from './store/content-state.ts';
export { type Digest, digestsAt, isFolderDigest, type PortContent } from './store/digest.ts';
export { type FolderFile, type OpenContent, openContent, readManifest } from './store/folder-manifest.ts';
export type { Resolution } from './store/resolution.ts';
export type { RunOutcome, RunRecord, StageOutcome } from './store/run-records.ts';
export { listRuns, readRun } from './store/run-records.ts';
export { locateStore, openStore, type Store } from './store/store.ts';
export { blobPath, linkedFolder } from './store/store-layout.ts';
export { storageFailureOf } from './store/system-error.ts';
export {
  type StoreProblem,
  type StoreReport,
  type VerifyProgress,
  verifyStore,
} from './store/verify-store.ts';
export { positionOf } from './yaml/source-file.ts';
