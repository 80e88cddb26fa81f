import { resolve } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import { checkPipeline, type PipelineToCheck } from '../config/check-pipeline.ts';
import { parseOverrides } from '../config/override.ts';
import { readPipeline } from '../config/read-pipeline.ts';
import { narrowSweep, overridesOf, type SweepPoint, sweepPoints } from '../config/sweep.ts';
import type { Checked, Diagnostic } from '../diagnostic/diagnostic.ts';
import type { SourceResolvers } from '../stage/source-resolver.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { DocumentReader } from '../yaml/document-reader.ts';
import { buildDag } from './build-dag.ts';
import { combinePoints, type PointDag } from './combine-points.ts';
import type { Dag, LoadedDag } from './dag.ts';
import { checkSources } from './find-sources.ts';

interface PipelineRequest {
  /** Relative to the working directory, or absolute. */
  readonly file: string;
  readonly registry: StageRegistry;
  /** By scheme, for addresses in place of paths. */
  readonly resolvers?: SourceResolvers;
  readonly workingDirectory: string;
  /** Whether a local source may be missing, by its absolute path: what it holds is known all the same. */
  readonly mayBeAbsent?: (path: string) => boolean;
  /** `name=value`, the values of `-p`. */
  readonly params: readonly string[];
  /** `stages.train.with.epochs=3`, the values of `--set`. */
  readonly sets: readonly string[];
  /** Told the absolute path of every file that is read and of every local source, also of missing ones. */
  readonly onRead?: (path: string) => void;
}

/** Reads a pipeline and checks all of it. The error has every mistake, in the order of the files. */
export async function loadPipeline(
  request: PipelineRequest,
): Promise<Result<LoadedDag, readonly Diagnostic[]>> {
  const { file, registry, workingDirectory, params, sets } = request;
  const reader = new DocumentReader(workingDirectory, request.onRead);
  const path = resolve(workingDirectory, file);
  const read = await readPipeline({ path, namedAt: undefined }, reader);
  const overrides = parseOverrides({ params, sets, workingDirectory });
  const ordered = (diagnostics: readonly Diagnostic[]) =>
    inOrder(withOrigin(withoutRepeats(diagnostics), reader), path);
  const beforeChecking = [...read.diagnostics, ...overrides.diagnostics];
  if (read.value === undefined) return err(ordered(beforeChecking));
  const { root } = read.value;
  const sweep = sweepPoints(root);
  const narrowed = sweep.value && narrowSweep(sweep.value, { root, overrides: overrides.value });
  const toCheck = {
    doc: read.value,
    overrides: narrowed?.overrides ?? overrides.value,
    registry,
    reader,
    chain: [path],
  };
  const dag = await loadPoints(sweep.value, { toCheck, request, kept: new Set(narrowed?.points) });
  const ofSweep = [...sweep.diagnostics, ...(narrowed?.diagnostics ?? [])];
  const diagnostics = [...beforeChecking, ...ofSweep, ...dag.diagnostics];
  return diagnostics.length === 0 ? ok({ ...dag.value, files: reader.files }) : err(ordered(diagnostics));
}

/** The pipeline's graph, or that of its sweep. Points that are not kept are checked, and count for stages' names. */
async function loadPoints(
  points: readonly SweepPoint[] | undefined,
  {
    toCheck,
    request,
    kept,
  }: {
    readonly toCheck: PipelineToCheck;
    readonly request: PipelineRequest;
    readonly kept: ReadonlySet<SweepPoint>;
  },
): Promise<Checked<Dag>> {
  const [first, ...others] = points ?? [];
  if (first === undefined) return loadDag(toCheck, request);
  const load = async (point: SweepPoint) => {
    const overrides = [...toCheck.overrides, ...overridesOf(point)];
    const loaded = await loadDag({ ...toCheck, overrides }, request);
    return { ...loaded, point, dag: loaded.value };
  };
  const all: [PointDag & Checked<Dag>, ...(PointDag & Checked<Dag>)[]] = [await load(first)];
  for (const point of others) all.push(await load(point));
  const diagnostics = all.flatMap((each) => each.diagnostics);
  return { value: diagnostics.length > 0 ? all[0].dag : combinePoints(all, kept), diagnostics };
}

async function loadDag(toCheck: PipelineToCheck, request: PipelineRequest): Promise<Checked<Dag>> {
  toCheck.reader.startCounting();
  const pipeline = await checkPipeline(toCheck);
  const built = buildDag(pipeline.value, request);
  for (const { path, resolver } of built.value.sources) if (resolver === undefined) request.onRead?.(path);
  const missing = await checkSources(built.value.sources, request);
  return {
    value: built.value.dag,
    diagnostics: [...pipeline.diagnostics, ...built.diagnostics, ...missing],
  };
}

/** A wrong value of a parameter is one mistake wherever it is used, and so is a mistake in a file that is used twice. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter((diagnostic, index) => {
    const { code, message, span, related } = diagnostic;
    const isSame = (other: Diagnostic): boolean =>
      other.code === code &&
      other.span?.file === span?.file &&
      other.span?.start === span?.start &&
      (related?.kind === 'use' || other.message === message);
    return span === undefined || diagnostics.findIndex(isSame) === index;
  });
}

/** A mistake in a file that another file names is shown with that place. */
const withOrigin = (diagnostics: readonly Diagnostic[], reader: DocumentReader): readonly Diagnostic[] =>
  diagnostics.map((diagnostic) => {
    const origin = diagnostic.span && reader.namedAt(diagnostic.span.file.path);
    return origin === undefined || diagnostic.related !== undefined
      ? diagnostic
      : { ...diagnostic, related: { kind: 'file' as const, span: origin } };
  });

/** The pipeline's own file first, then others, each by place, then the command line, then what has no place. */
function inOrder(diagnostics: readonly Diagnostic[], root: string): readonly Diagnostic[] {
  const rank = ({ span }: Diagnostic): number => {
    if (span === undefined) return 3;
    if (span.file.isCommandLine) return 2;
    return span.file.path === root ? 0 : 1;
  };
  const place = ({ span }: Diagnostic): number =>
    span === undefined || span.file.isCommandLine ? 0 : span.start;
  const file = ({ span }: Diagnostic): string => span?.file.path ?? '';
  return diagnostics.toSorted(
    (a, b) => rank(a) - rank(b) || compare(file(a), file(b)) || place(a) - place(b),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
