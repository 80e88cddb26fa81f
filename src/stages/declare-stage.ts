import { type StageName, stageSchemas } from '../generated/stage-schemas.ts';
import type { JsonObject } from '../json.ts';
import type { ConfigProblem, StageDefinition, StagePorts } from '../runtime/stage/stage-definition.ts';

/** A built-in stage as its author declares it: `Config` is the type generated from the stage's schema. */
export interface StageDeclaration<Config>
  extends Omit<StageDefinition, 'name' | 'schema' | 'validate' | 'ports' | 'check'> {
  readonly name: StageName;
  readonly ports: (config: Config) => StagePorts;
  readonly check?: (config: Config) => readonly ConfigProblem[];
}

/** Joins a declaration with the schema and the compiled validator of the same name. Loads none of the stage's code. */
export function declareStage<Config>(declaration: StageDeclaration<Config>): StageDefinition {
  const { name, version, process, device, load, ports, check } = declaration;
  const { schema, validate } = stageSchemas[name];
  const configOf = (config: JsonObject) => config as Config; // decode edge: ports and check are called with valid configurations only
  return {
    name,
    version,
    schema,
    validate,
    ports: (config) => ports(configOf(config)),
    ...(check === undefined ? {} : { check: (config: JsonObject) => check(configOf(config)) }),
    process,
    device,
    load,
  };
}
