import { checkPipeline } from '../config/check-pipeline.ts';
import { foreignFile } from '../config/foreign-file.ts';
import { commandLine, parseOverrides } from '../config/override.ts';
import { usedHere } from '../config/used-here.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { err, ok, type Result } from '../result.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import { readSourceFile } from '../source/read-source-file.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { buildDag } from './build-dag.ts';
import { checkSources } from './check-sources.ts';
import type { Dag } from './dag.ts';

export interface PipelineRequest {
  /** Relative to the working directory, or absolute. */
  readonly file: string;
  readonly registry: StageRegistry;
  readonly workingDirectory: string;
  /** `name=value`, each the value of a `-p`. */
  readonly params: readonly string[];
  /** `stages.train.with.epochs=3`, each the value of a `--set`. */
  readonly sets: readonly string[];
}

/** Reads a pipeline and checks all of it; the failure holds every mistake, in the order of the file. */
export async function loadPipeline(request: PipelineRequest): Promise<Result<Dag, readonly Diagnostic[]>> {
  const { file, registry, workingDirectory, params, sets } = request;
  const source = await readSourceFile({ path: file, workingDirectory });
  if (!source.ok) return err([source.error]);
  const overrides = parseOverrides({ params, sets, workingDirectory });
  const parsed = parseYaml(source.value);
  const beforeChecking = [...parsed.diagnostics, ...overrides.diagnostics];
  if (parsed.value === undefined)
    return err(beforeChecking.length > 0 ? beforeChecking : [emptyFile(source.value)]);
  const foreign = foreignFile(parsed.value);
  if (foreign !== undefined) return err([foreign]);
  const pipeline = checkPipeline({ doc: parsed.value, overrides: overrides.value, registry });
  const built = buildDag(pipeline.value);
  const missing = await checkSources(built.value.sources, workingDirectory);
  const diagnostics = [...beforeChecking, ...pipeline.diagnostics, ...built.diagnostics, ...missing];
  return diagnostics.length === 0 ? ok(built.value.dag) : err(inOrder(oncePerValue(diagnostics)));
}

const emptyFile = (file: NonNullable<Diagnostic['span']>['file']): Diagnostic => ({
  code: 'empty-file',
  message: 'the file is empty',
  span: { file, start: 0, end: 0 },
  help: 'a pipeline has `stages:`; `retune init` writes one to begin with',
});

/** A parameter's value that is wrong wherever it is used is one mistake. */
function oncePerValue(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter((diagnostic, index) => {
    const { span, related } = diagnostic;
    const isSame = (other: Diagnostic): boolean =>
      other.code === diagnostic.code && other.span?.file === span?.file && other.span?.start === span?.start;
    return related?.message !== usedHere || diagnostics.findIndex(isSame) === index;
  });
}

/** By place in the file; then what the command line says, as it was given, and what has no place. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const place = ({ span }: Diagnostic): number => {
    if (span === undefined) return Number.POSITIVE_INFINITY;
    return span.file.displayPath === commandLine ? Number.MAX_SAFE_INTEGER : span.start;
  };
  return diagnostics.toSorted((a, b) => Math.sign(place(a) - place(b)) || 0);
}
