// What the runtime receives: definitions of stages, and fetchers of remote sources.

export { isSourcePattern, matchingNames } from './stage/source-pattern.ts';
export type {
  AddressProblem,
  FetchRequest,
  SourceFetcher,
  SourceRequest,
  SourceResolvers,
} from './stage/source-resolver.ts';
export type { ActionPort, StageAction, StageResources, WorkShare } from './stage/stage-action.ts';
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
  SourceToInspect,
  StageDefinition,
  StageHost,
  StageModule,
  StagePorts,
  StageRegistry,
  StageReport,
} from './stage/stage-definition.ts';

// A pipeline file becomes a graph, or diagnostics that point into the file.

export { parseDuration, parseMemory } from './config/quantity.ts';
export { fillDefaults } from './config/schema/applicable-schemas.ts';
export { type Diagnostic, fewOf, listOf } from './diagnostic/diagnostic.ts';
export { diagnosticsToJson, renderDiagnostics } from './diagnostic/render-diagnostics.ts';
export { positionOf } from './diagnostic/text-file.ts';
export type { Dag, DagNode, InputBinding, LoadedDag } from './graph/dag.ts';
export { loadPipeline } from './graph/load-pipeline.ts';
export { definitionFiles } from './module/definition-files.ts';

// The store holds contents by digest.

export {
  type Digest,
  digestOf,
  digestsAt,
  hexOf,
  isFolderDigest,
  type PortContent,
  parseDigest,
  parsePortContent,
  sha256,
} from './key/digest.ts';
export { parseCacheKey } from './key/key-material.ts';
export { broughtState, contentState } from './store/content-state.ts';
export { withFileLock } from './store/file-lock.ts';
export { blobFile } from './store/find-blob.ts';
export {
  type FolderFile,
  isInnerPath,
  manifestOf,
  openContent,
  parseManifest,
  readManifest,
} from './store/folder-manifest.ts';
export { ingest } from './store/ingest.ts';
export { mayBeAlive, parseProcessIdentity, processIdentity } from './store/process-identity.ts';
export { sealJson } from './store/sealed-json.ts';
export { createStore, openStore, type Store, type WantedContent } from './store/store.ts';
export {
  actionPath,
  attemptFiles,
  attemptFolder,
  blobPath,
  downloadPath,
  linkedStore,
  outputsPath,
  pathSegment,
  runPath,
  storeLayout,
} from './store/store-layout.ts';
export { hasErrorCode, storageFailureOf } from './store/system-error.ts';

// The graph becomes a plan: what would run, and why.

export { compareMaterial, type Difference, keyedContent, sides } from './key/compare-material.ts';
export { describeRun, describeWaiting, fieldOf, fieldOfWith } from './plan/describe-reason.ts';
export { type ExplainedDifference, type Explanation, explainStage } from './plan/explain-stage.ts';
export { lockedDigests, lockPathOf, readLock } from './plan/lock.ts';
export { type Plan, type PlannedStage, planPipeline } from './plan/plan-pipeline.ts';
export { type CodePaths, codePaths } from './plan/read-modules.ts';
export { pathsIn } from './plan/read-source.ts';

// The plan becomes results.

export {
  detachAttempt,
  discardAttempt,
  openAttempt,
  releaseAttempt,
  sweepAttempts,
} from './execute/attempt.ts';
export { ingestOutputs } from './execute/commit-result.ts';
export type { Executor, Job, JobEnd, JobFailure, SubmittedJob } from './execute/executor/executor.ts';
export { runJob } from './execute/executor/executor.ts';
export { type JobFile, readJobFile, writeJobFile } from './execute/executor/job-file.ts';
export { openLocalExecutor } from './execute/executor/local-executor.ts';
export {
  layOutPortable,
  type PortableAction,
  portableAction,
} from './execute/executor/portable-action.ts';
export { withAddresses } from './execute/prepare-action.ts';
export {
  approve,
  codeHash,
  isReceived,
  markReceived,
  type Received,
  receivedDefinition,
  runsCode,
} from './execute/received.ts';
export { type Rerun, rerunStages } from './execute/rerun-stages.ts';
export { failureOf } from './execute/run-action.ts';
export type { RunOptions, RunResult } from './execute/run-context.ts';
export { runPipeline } from './execute/run-pipeline.ts';
export { serveStageProcess } from './execute/serve-stage-process.ts';
export { parseStageMessage, type StageMessage } from './execute/stage-message.ts';
export { childEnvironment } from './execute/stage-process.ts';
export { type UpdatedSource, updateSources } from './execute/update-sources.ts';
export { readSource } from './plan/read-source.ts';
export { hideSecrets, SecretFilter, secretsIn } from './stage/hide-secrets.ts';
export type { Failure, RunEvent, StageError } from './stage/run-event.ts';

// Runs are seen and stopped from other processes, past runs are read, verified and collected.

export type { Holding, HoldingKind, Keeping } from './collect/holdings.ts';
export { type Collection, planCollection } from './collect/plan-collection.ts';
export { type Removal, removeCollection } from './collect/remove-collection.ts';
export { stageLogPath } from './execute/attempt.ts';
export { type LiveEvent, readLiveEvents } from './execute/live-events.ts';
export { type StopAnswer, stopRun } from './execute/run-journal.ts';
export {
  type ActionRecord,
  adoptRecord,
  type Fingerprint,
  listRecords,
  machineFingerprint,
  readRecord,
} from './store/action-records.ts';
export { publishOutputs } from './store/publish-outputs.ts';
export {
  listRuns,
  type RunRecord,
  readRun,
  recordedPath,
  type StageOutcome,
} from './store/run-records.ts';
export { type VerifyProgress, verifyStore } from './store/verify-store.ts';

// Settings say where results are, and where stages run.

export { approvalPath, approveSettings } from './settings/approval.ts';
export {
  findSettings,
  personSettingsPath,
  projectFolder,
  projectSettingsPath,
} from './settings/find-settings.ts';
export { schemeOf } from './settings/scheme.ts';
export type {
  ExecutorSettings,
  RemoteSettings,
  Setting,
  SettingOrigin,
  Settings,
} from './settings/settings.ts';

// Results are shared through remotes.

export type { FetchedContent } from './sharing/fetch-content.ts';
export { pushPermission } from './sharing/pull-request.ts';
export { type PushResult, pushRecords, type TransferProgress } from './sharing/push.ts';
export type { RemoteProblem } from './sharing/remote-problem.ts';
export { type RemoteRecord, remoteRecord } from './sharing/remote-record.ts';
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
export { type OpenedRemote, Remotes } from './sharing/remotes.ts';
export {
  makeSigningKey,
  openSigningKey,
  type PublicKey,
  type SigningKey,
} from './sharing/signature.ts';
export {
  findSigningKey,
  ownSigningKey,
  signingKeyPath,
  signingKeyVariable,
  trustedKeys,
} from './sharing/signing-keys.ts';
