import type { JsonObject } from '../../json.ts';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { holdsReported } from '../source/holds-reported.ts';
import { parsePointer } from '../source/json-pointer.ts';
import { childOf, mapOf, yamlAt } from '../source/yaml-at.ts';
import type { YamlEntry, YamlMap, YamlNode } from '../source/yaml-doc.ts';
import { mapToJson, yamlToJson } from '../source/yaml-to-json.ts';
import type { StageDefinition, StageRegistry } from '../stage/stage-definition.ts';
import { findDefinition } from './find-definition.ts';
import { stageField } from './place-in-words.ts';
import { parseDuration, parseMemory } from './quantity.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';
import { fillDefaults } from './schema/fill-defaults.ts';
import { findField } from './schema/find-field.ts';
import { relatedUse } from './used-here.ts';
import type { PipelineStage, StageSetup } from './valid-pipeline.ts';
import { writtenBindings } from './written-bindings.ts';

export interface WrittenStage {
  readonly id: string;
  readonly entry: YamlEntry;
  readonly registry: StageRegistry;
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
  { id, entry }: WrittenStage,
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
  if (checked.value === undefined) return { value: undefined, diagnostics: checked.diagnostics };
  return {
    value: { definition, config: checked.value, written, withSpan, ...besideWith(entry.value) },
    diagnostics: [],
  };
}

interface WrittenConfig {
  readonly id: string;
  readonly definition: StageDefinition;
  readonly written: YamlMap;
  readonly withSpan: Span;
}

function checkConfig({ id, definition, written, withSpan }: WrittenConfig): Checked<JsonObject | undefined> {
  const nameOf = (path: readonly string[]): string => stageField(id, path);
  const plain = mapToJson(written);
  if (!definition.validate(plain)) {
    const subject = {
      schema: definition.schema,
      node: written,
      span: withSpan,
      nameOf,
      homeOf: homeBesideWith,
      fieldElsewhere: (field: string) => findField(definition.schema, field),
    };
    return { value: undefined, diagnostics: describeSchemaErrors(subject, definition.validate.errors ?? []) };
  }
  if (holdsReported(written)) return { value: undefined, diagnostics: [] };
  const config = fillDefaults(definition.schema, plain);
  const problems = definition.check?.(config) ?? [];
  const diagnostics = problems.map(({ pointer, code, message, help }): Diagnostic => {
    const { node } = yamlAt(written, parsePointer(pointer));
    return {
      code,
      message,
      span: node === written ? withSpan : node.span,
      ...(help !== undefined && { help }),
      ...relatedUse(node),
    };
  });
  return { value: diagnostics.length === 0 ? config : undefined, diagnostics };
}

/** A field that stands under `with` and belongs beside it. */
function homeBesideWith(path: readonly string[], field: string): string | undefined {
  const beside = ['from', 'uses', 'resources', 'timeout', 'retries', 'description'];
  return path.length === 0 && beside.includes(field)
    ? `put \`${field}\` beside \`with\`, not under it`
    : undefined;
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
