import { type JsonObject, suggest } from '../../core/index.ts';
import type { Checked, Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import type { StageResources } from '../stage/stage-action.ts';
import type { SchemaError, StageDefinition, StagePorts } from '../stage/stage-definition.ts';
import { holdsReported, mapToJson, parsePointer, type YamlMap, yamlAt } from '../yaml/yaml-doc.ts';
import { relatedUse, stageField } from './field-names.ts';
import { fillDefaults, findField, propertiesOf } from './schema/applicable-schemas.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';

interface WrittenConfig {
  /** The stage's. */
  readonly id: string;
  readonly definition: StageDefinition;
  readonly written: YamlMap;
  readonly withSpan: Span;
  readonly resources: StageResources;
}

/** A stage's configuration, or its valid part, and the ports that follow from it. */
export interface CheckedConfig {
  readonly config: JsonObject;
  readonly ports: StagePorts;
  /** False where the configuration has a mistake, so that the stage may need other inputs than it seems. */
  readonly valid: boolean;
}

/** Checks a stage's `with`. Undefined where its mistakes leave the stage's ports unknown. */
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
      homeOf: (path: readonly string[], field: string) =>
        homeBesideWith(path, field) ?? definition.peerFields?.get(field),
      valueHelp: (value: string) => definition.peerValues?.get(value),
      fieldElsewhere: (field: string) => findField(definition.schema, field),
    };
    return {
      value: portsOfInvalidConfig({ definition, config: plain, errors, reported }),
      diagnostics: describeSchemaErrors(subject, errors),
    };
  }
  if (written.reported || reported.length > 0)
    return {
      value: portsOfInvalidConfig({ definition, config: plain, errors: [], reported }),
      diagnostics: [],
    };
  const config = fillDefaults(definition.schema, plain);
  const value = { config, ports: definition.ports(config), valid: true };
  return { value, diagnostics: problemsOf(stage, config) };
}

const problemsOf = ({ definition, written, withSpan, resources }: WrittenConfig, config: JsonObject) =>
  (definition.check?.(config, resources) ?? []).map(({ pointer, code, message, help }): Diagnostic => {
    const { node } = yamlAt(written, parsePointer(pointer));
    return {
      code,
      message,
      span: node === written ? withSpan : node.span,
      ...(help !== undefined && { help }),
      ...relatedUse(node),
    };
  });

/** Help for a field that is under `with` and belongs beside it. */
function homeBesideWith(path: readonly string[], field: string): string | undefined {
  const beside = ['from', 'uses', 'resources', 'timeout', 'retries', 'description'];
  return path.length === 0 && beside.includes(field)
    ? `put \`${field}\` beside \`with\`, not under it`
    : undefined;
}

interface InvalidConfig {
  readonly definition: StageDefinition;
  readonly config: JsonObject;
  readonly errors: readonly SchemaError[];
  /** Fields whose mistakes were found before the schema was checked. */
  readonly reported: readonly string[];
}

/** The ports of a stage whose configuration has mistakes; undefined where a doubtful field decides them. */
function portsOfInvalidConfig(invalid: InvalidConfig): CheckedConfig | undefined {
  const { definition, config, errors, reported } = invalid;
  const named = errors.map((error) => doubtfulFields(invalid, error));
  if (named.includes(undefined)) return undefined;
  const doubtful = new Set([...reported, ...named.flatMap((fields) => fields ?? [])]);
  const sound = Object.fromEntries(Object.entries(config).filter(([name]) => !doubtful.has(name)));
  const filled = fillDefaults(definition.schema, sound);
  try {
    return { config: filled, ports: definition.ports(guarded(filled, doubtful)), valid: false };
  } catch {
    // The ports depend on a doubtful field.
    return undefined;
  }
}

/** The fields that an error makes doubtful; undefined where it could be any. */
function doubtfulFields({ definition }: InvalidConfig, error: SchemaError): readonly string[] | undefined {
  const [field] = parsePointer(error.instancePath);
  if (field !== undefined) return [field];
  const { missingProperty, additionalProperty, passingSchemas } = error.params;
  if (typeof missingProperty === 'string') return [missingProperty];
  if (typeof additionalProperty === 'string') {
    const meant = suggest(additionalProperty, Object.keys(propertiesOf(definition.schema)));
    return meant === undefined ? [] : [meant];
  }
  // The branches of a combination have their own errors.
  const combines = ['oneOf', 'anyOf', 'if'].includes(error.keyword) && !Array.isArray(passingSchemas);
  return combines ? [] : undefined;
}

/** The configuration, which throws where a doubtful field is read. */
function guarded(config: JsonObject, doubtful: ReadonlySet<string>): JsonObject {
  const refuse = (): never => {
    throw new Error('this field is doubtful');
  };
  return new Proxy(config, {
    get: (target, name) => (doubtful.has(String(name)) ? refuse() : Reflect.get(target, name)),
    has: (target, name) => (doubtful.has(String(name)) ? refuse() : Reflect.has(target, name)),
    ownKeys: refuse,
  });
}
