import type { Checked } from '../diagnostic/checked.ts';
import { childOf, mapOf } from '../source/yaml-at.ts';
import type { YamlEntry, YamlMap, YamlNode } from '../source/yaml-doc.ts';
import { mapToJson, yamlToJson } from '../source/yaml-to-json.ts';
import type { StageDefinition, StageRegistry } from '../stage/stage-definition.ts';
import { checkConfig } from './check-config.ts';
import { findDefinition } from './find-definition.ts';
import { parseDuration, parseMemory } from './quantity.ts';
import type { DeclaredAt, PipelineStage, StageSetup } from './valid-pipeline.ts';
import { writtenBindings } from './written-bindings.ts';

export interface WrittenStage {
  readonly id: string;
  readonly entry: YamlEntry;
  readonly registry: StageRegistry;
  readonly declaredAt?: DeclaredAt | undefined;
}

/** Finds what a stage uses and checks its `with` against that. */
export function checkStage(stage: WrittenStage): Checked<PipelineStage> {
  const { id, entry } = stage;
  const found = findDefinition(stage);
  const checked: Checked<StageSetup | undefined> =
    found.value === undefined ? { value: undefined, diagnostics: [] } : checkSetup(stage, found.value);
  return {
    value: {
      id,
      idSpan: entry.keySpan,
      ...writtenBindings(entry.value),
      setup: checked.value,
    },
    diagnostics: [...found.diagnostics, ...checked.diagnostics],
  };
}

function checkSetup(
  { id, entry, declaredAt }: WrittenStage,
  definition: StageDefinition,
): Checked<StageSetup | undefined> {
  const stage = mapOf(entry.value);
  const withEntry = stage?.entries.get('with');
  const withSpan = withEntry?.keySpan ?? entry.keySpan;
  const written: YamlMap = mapOf(withEntry?.value) ?? { kind: 'map', entries: new Map(), span: withSpan };
  const misshapen =
    withEntry !== undefined && written !== withEntry.value && yamlToJson(withEntry.value) !== null;
  if (misshapen || withEntry?.value.reported) return { value: undefined, diagnostics: [] };
  const checked = checkConfig({ id, definition, written, withSpan });
  const setup = checked.value && {
    definition,
    ...checked.value,
    written,
    withSpan,
    usesSpan: stage?.entries.get('uses')?.value.span,
    declaredAt,
    ...besideWith(entry.value),
  };
  return { value: setup, diagnostics: checked.diagnostics };
}

function besideWith(stage: YamlNode): Pick<StageSetup, 'timeoutMs' | 'retries' | 'resources'> {
  const { timeout, retries } = mapToJson(mapOf(stage));
  const { threads, memory, backend } = mapToJson(mapOf(childOf(stage, 'resources')));
  const bytes = parseMemory(memory);
  return {
    timeoutMs: parseDuration(timeout),
    retries: typeof retries === 'number' ? retries : 0,
    resources: {
      ...(typeof threads === 'number' && { threads }),
      ...(bytes !== undefined && { memory: bytes }),
      ...(typeof backend === 'string' && { backend }),
    },
  };
}
