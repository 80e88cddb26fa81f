export type { Holding, HoldingKind, Keeping, KeptHolding } from './collect/holding.ts';
export { type Collection, planCollection } from './collect/plan-collection.ts';
export { type Removal, removeCollection } from './collect/remove-collection.ts';
export type { Diagnostic, Span } from './diagnostic/diagnostic.ts';
export { renderDiagnostics } from './diagnostic/render-diagnostics.ts';
export type { Failure } from './event/failure.ts';
export type { RunEvent } from './event/run-event.ts';
export { type Rerun, rerunStages } from './execute/rerun-stages.ts';
export type { RunOptions } from './execute/run-options.ts';
export { runPipeline } from './execute/run-pipeline.ts';
export type { RunResult } from './execute/run-result.ts';
export { type UpdatedSource, updateSources } from './execute/update-sources.ts';
export type { Dag, DagNode } from './graph/dag.ts';
export { loadPipeline } from './graph/load-pipeline.ts';
export { compareMaterial, type Difference } from './key/compare-material.ts';
export type { Decision, Likeness, RunReason } from './plan/decision.ts';
export {
  describeDifference,
  describeReason,
  describeRun,
  describeWaiting,
} from './plan/describe-reason.ts';
export { type ExplainedDifference, type Explanation, explainStage } from './plan/explain-stage.ts';
export type { Plan, PlannedStage } from './plan/plan.ts';
export { planPipeline } from './plan/plan-pipeline.ts';
export { err, ok, type Result } from './result.ts';
export type { ActionRecord } from './store/action-record.ts';
export { readRecord } from './store/action-records.ts';
export { type ContentState, contentState } from './store/content-state.ts';
export { type Digest, digestsAt, isFolderDigest, type PortContent } from './store/digest.ts';
export { type FolderFile, readManifest } from './store/folder-manifest.ts';
export { linkedFolder } from './store/linked-folder.ts';
export { locateStore } from './store/locate-store.ts';
export { type OpenContent, openContent } from './store/materialise.ts';
export type { Resolution } from './store/resolution.ts';
export type { RunOutcome, RunRecord, StageOutcome } from './store/run-record.ts';
export { listRuns, readRun } from './store/run-records.ts';
export { openStore, type Store } from './store/store.ts';
export {
  type StoreProblem,
  type StoreReport,
  type VerifyProgress,
  verifyStore,
} from './store/verify-store.ts';
