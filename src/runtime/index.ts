// What the runtime receives: definitions of stages, and fetchers of remote sources.

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

// A pipeline file becomes a graph, or diagnostics that point into the file.

export { parseDuration, parseMemory } from './config/quantity.ts';
export { type Diagnostic, fewOf, listOf } from './diagnostic/diagnostic.ts';
export { diagnosticsToJson, renderDiagnostics } from './diagnostic/render-diagnostics.ts';
export { positionOf } from './diagnostic/text-file.ts';
export type { Dag, DagNode, InputBinding } from './graph/dag.ts';
export { loadPipeline } from './graph/load-pipeline.ts';

// The store holds contents by digest.

export { type Digest, digestsAt, isFolderDigest, type PortContent } from './key/digest.ts';
export { contentState } from './store/content-state.ts';
export { openContent, readManifest } from './store/folder-manifest.ts';
export { openStore, type Store } from './store/store.ts';
export { blobPath, linkedStore } from './store/store-layout.ts';
export { storageFailureOf } from './store/system-error.ts';

// The graph becomes a plan: what would run, and why.

export { compareMaterial, type Difference, keyedContent, sides } from './key/compare-material.ts';
export { describeRun, describeWaiting, fieldOf, fieldOfWith } from './plan/describe-reason.ts';
export { type ExplainedDifference, type Explanation, explainStage } from './plan/explain-stage.ts';
export { type Plan, type PlannedStage, planPipeline } from './plan/plan-pipeline.ts';

// The plan becomes results.

export type { Executor, Job, JobEnd, JobFailure, SubmittedJob } from './execute/executor/executor.ts';
export { openLocalExecutor } from './execute/executor/local-executor.ts';
export { type Rerun, rerunStages } from './execute/rerun-stages.ts';
export type { RunOptions, RunResult } from './execute/run-context.ts';
export { runPipeline } from './execute/run-pipeline.ts';
export { serveStageProcess } from './execute/serve-stage-process.ts';
export { type UpdatedSource, updateSources } from './execute/update-sources.ts';
export { hideSecrets, SecretFilter, secretsIn } from './stage/hide-secrets.ts';
export type { Failure, RunEvent, StageError } from './stage/run-event.ts';

// Past runs are read, verified and collected.

export type { Holding, HoldingKind, Keeping } from './collect/holdings.ts';
export { type Collection, planCollection } from './collect/plan-collection.ts';
export { type Removal, removeCollection } from './collect/remove-collection.ts';
export { type ActionRecord, readRecord } from './store/action-records.ts';
export {
  listRuns,
  type RunRecord,
  readRun,
  recordedPath,
  type StageOutcome,
} from './store/run-records.ts';
export { type VerifyProgress, verifyStore } from './store/verify-store.ts';

// Settings say where results are, and where stages run.

export { findSettings, projectFolder } from './settings/find-settings.ts';
export { schemeOf } from './settings/scheme.ts';
export type {
  ExecutorSettings,
  RemoteSettings,
  Setting,
  SettingOrigin,
  Settings,
} from './settings/settings.ts';

// Results are shared through remotes.

export {
  type RemoteCall,
  type RemoteContent,
  RemoteFailure,
  type RemoteFailureKind,
  type RemoteGet,
  type RemoteObject,
  type RemotePut,
  type RemoteStore,
  remoteName,
  type SentContent,
} from './sharing/remote-store.ts';
