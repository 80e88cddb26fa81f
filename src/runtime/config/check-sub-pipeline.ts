import { dirname, resolve } from 'node:path';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { quoted } from '../diagnostic/wording.ts';
import { childOf, mapOf, textOf } from '../source/yaml-at.ts';
import type { YamlDoc, YamlNode } from '../source/yaml-doc.ts';
import { checkPipeline, type PipelineToCheck } from './check-pipeline.ts';
import type { WrittenStage } from './check-stage.ts';
import type { Override } from './override.ts';
import { readPipeline } from './read-pipeline.ts';
import type { PipelineStage } from './valid-pipeline.ts';
import { writtenBindings } from './written-bindings.ts';

/** Whether what `uses` says is the path of a pipeline file. */
export const isPipelineFile = (uses: YamlNode | undefined): uses is YamlNode =>
  uses?.reported !== true && /\.ya?ml$/i.test(textOf(uses) ?? '');

interface UsedPipeline extends WrittenStage, PipelineToCheck {
  readonly uses: YamlNode;
}

/** Checks a stage that is another pipeline file: `with` sets that file's params, `from` what its inputs are bound to. */
export async function checkSubPipeline(used: UsedPipeline): Promise<Checked<PipelineStage>> {
  const { id, entry, uses, overrides, registry, reader } = used;
  const path = resolve(dirname(uses.span.file.path), textOf(uses) ?? '');
  const stage = { id, idSpan: entry.keySpan, ...writtenBindings(entry.value), setup: undefined };
  const diagnostics: Diagnostic[] = [...unheededFields(entry.value)];
  if (used.chain.includes(path)) {
    diagnostics.push(usesItself(used, path));
    return { value: stage, diagnostics };
  }
  const namedAt = uses.usedAt ?? uses.span;
  const read = await readPipeline({ path, namedAt }, reader);
  diagnostics.push(...read.diagnostics);
  if (read.value === undefined) return { value: stage, diagnostics };
  diagnostics.push(...sweepWithin(read.value));
  const pipeline = await checkPipeline({
    doc: read.value,
    overrides: [...paramsGiven(entry.value), ...overrides],
    registry,
    reader,
    chain: [...used.chain, path],
  });
  return {
    value: { ...stage, pipeline: pipeline.value },
    diagnostics: [...diagnostics, ...pipeline.diagnostics],
  };
}

/** The fields of `with`, as values for the params of the pipeline that is used. */
const paramsGiven = (stage: YamlNode): readonly Override[] =>
  [...(mapOf(childOf(stage, 'with'))?.entries ?? [])].map(([name, { keySpan, value }]) => ({
    path: ['params', name],
    pathSpan: keySpan,
    value,
  }));

/** What stands beside `with` is for a single stage. */
const unheededFields = (stage: YamlNode): readonly Diagnostic[] =>
  ['resources', 'timeout', 'retries'].flatMap((field) => {
    const span = mapOf(stage)?.entries.get(field)?.keySpan;
    if (span === undefined) return [];
    return [
      {
        code: 'unheeded-field',
        message: `${quoted(field)} means nothing where another pipeline is used`,
        span,
        help: 'write it at the stages of that file',
      },
    ];
  });

function sweepWithin({ root }: YamlDoc): readonly Diagnostic[] {
  const span = mapOf(root)?.entries.get('sweep')?.keySpan;
  if (span === undefined) return [];
  const message = 'a pipeline with a `sweep` cannot be a stage of another';
  return [{ code: 'misplaced-sweep', message, span, help: 'put `sweep` into the pipeline that is run' }];
}

function usesItself({ chain, reader, uses }: UsedPipeline, path: string): Diagnostic {
  const shown = [...chain.slice(chain.indexOf(path)), path].map((each) => reader.display(each));
  return {
    code: 'cycle',
    message: `${quoted(shown[0] ?? '')} uses itself: ${shown.join(' -> ')}`,
    span: uses.usedAt ?? uses.span,
  };
}
