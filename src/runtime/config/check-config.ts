import type { JsonObject } from '../../json.ts';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { holdsReported } from '../source/holds-reported.ts';
import { parsePointer } from '../source/json-pointer.ts';
import { yamlAt } from '../source/yaml-at.ts';
import type { YamlMap } from '../source/yaml-doc.ts';
import { mapToJson } from '../source/yaml-to-json.ts';
import type { StageDefinition, StagePorts } from '../stage/stage-definition.ts';
import { stageField } from './place-in-words.ts';
import { portsDespite } from './ports-despite.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';
import { fillDefaults } from './schema/fill-defaults.ts';
import { findField } from './schema/find-field.ts';
import { relatedUse } from './used-here.ts';

export interface WrittenConfig {
  readonly id: string;
  readonly definition: StageDefinition;
  readonly written: YamlMap;
  readonly withSpan: Span;
}

/** A stage's configuration, or what is sound of it, and the ports that follow from that. */
export interface CheckedConfig {
  readonly config: JsonObject;
  readonly ports: StagePorts;
  /** False where a mistake leaves open what else the stage may need. */
  readonly settled: boolean;
}

/** Checks a stage's `with`. Undefined where the mistakes in it leave the stage's ports open. */
export function checkConfig(stage: WrittenConfig): Checked<CheckedConfig | undefined> {
  const { id, definition, written, withSpan } = stage;
  const plain = mapToJson(written);
  const reported = [...written.entries].filter(([, { value }]) => holdsReported(value)).map(([name]) => name);
  if (!definition.validate(plain)) {
    const errors = definition.validate.errors ?? [];
    const subject = {
      schema: definition.schema,
      node: written,
      span: withSpan,
      nameOf: (path: readonly string[]) => stageField(id, path),
      homeOf: homeBesideWith,
      fieldElsewhere: (field: string) => findField(definition.schema, field),
    };
    return {
      value: portsDespite({ definition, config: plain, errors, reported }),
      diagnostics: describeSchemaErrors(subject, errors),
    };
  }
  if (written.reported || reported.length > 0)
    return { value: portsDespite({ definition, config: plain, errors: [], reported }), diagnostics: [] };
  const config = fillDefaults(definition.schema, plain);
  const value = { config, ports: definition.ports(config), settled: true };
  return { value, diagnostics: problemsOf(stage, config) };
}

const problemsOf = ({ definition, written, withSpan }: WrittenConfig, config: JsonObject) =>
  (definition.check?.(config) ?? []).map(({ pointer, code, message, help }): Diagnostic => {
    const { node } = yamlAt(written, parsePointer(pointer));
    return {
      code,
      message,
      span: node === written ? withSpan : node.span,
      ...(help !== undefined && { help }),
      ...relatedUse(node),
    };
  });

/** A field that stands under `with` and belongs beside it. */
function homeBesideWith(path: readonly string[], field: string): string | undefined {
  const beside = ['from', 'uses', 'resources', 'timeout', 'retries', 'description'];
  return path.length === 0 && beside.includes(field)
    ? `put \`${field}\` beside \`with\`, not under it`
    : undefined;
}
