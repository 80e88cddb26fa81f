import type { JsonObject } from '../../json.ts';
import { suggest } from '../diagnostic/suggest.ts';
import { parsePointer } from '../source/json-pointer.ts';
import type { SchemaError, StageDefinition } from '../stage/stage-definition.ts';
import type { CheckedConfig } from './check-config.ts';
import { propertiesOf } from './schema/applicable-schemas.ts';
import { fillDefaults } from './schema/fill-defaults.ts';

/** A configuration with mistakes in it. */
interface FaultyConfig {
  readonly definition: StageDefinition;
  readonly config: JsonObject;
  readonly errors: readonly SchemaError[];
  /** Fields with a mistake that the schema does not see. */
  readonly reported: readonly string[];
}

/** The ports of a stage, where no field with a mistake decides them; undefined where one does. */
export function portsDespite(faulty: FaultyConfig): CheckedConfig | undefined {
  const { definition, config, errors, reported } = faulty;
  const named = errors.map((error) => doubtfulFields(faulty, error));
  if (named.includes(undefined)) return undefined;
  const doubtful = new Set([...reported, ...named.flatMap((fields) => fields ?? [])]);
  const sound = Object.fromEntries(Object.entries(config).filter(([name]) => !doubtful.has(name)));
  const filled = fillDefaults(definition.schema, sound);
  try {
    return { config: filled, ports: definition.ports(guarded(filled, doubtful)), settled: false };
  } catch {
    // A doubtful field was asked for.
    return undefined;
  }
}

/** The fields that an error casts doubt on; undefined where it could be any. */
function doubtfulFields({ definition }: FaultyConfig, error: SchemaError): readonly string[] | undefined {
  const [field] = parsePointer(error.instancePath);
  if (field !== undefined) return [field];
  const { missingProperty, additionalProperty, passingSchemas } = error.params;
  if (typeof missingProperty === 'string') return [missingProperty];
  if (typeof additionalProperty === 'string') {
    const meant = suggest(additionalProperty, Object.keys(propertiesOf(definition.schema)));
    return meant === undefined ? [] : [meant];
  }
  // What fails within a combination is told by errors of its own.
  const combines = ['oneOf', 'anyOf', 'if'].includes(error.keyword) && !Array.isArray(passingSchemas);
  return combines ? [] : undefined;
}

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
