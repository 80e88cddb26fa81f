import { type JsonObject, UserError } from '../core/index.ts';
import { type StageName, stageSchemas } from '../generated/stage-schemas.ts';
import type {
  ConfigProblem,
  Horizon,
  Memo,
  RecordPlaces,
  RecordSearch,
  SourceToInspect,
  StageDefinition,
  StagePorts,
  StageResources,
} from '../runtime/index.ts';
import { peerFields, peerValues } from './peer-fields.ts';

/** A built-in stage as its author declares it: `Config` is the type generated from the stage's schema. */
interface StageDeclaration<Config>
  extends Omit<
    StageDefinition,
    | 'name'
    | 'schema'
    | 'validate'
    | 'peerFields'
    | 'peerValues'
    | 'versionOf'
    | 'ports'
    | 'check'
    | 'environment'
    | 'inspect'
    | 'locate'
    | 'horizon'
    | 'memo'
  > {
  readonly name: StageName;
  readonly versionOf?: (config: Config) => number;
  readonly ports: (config: Config) => StagePorts;
  readonly check?: (config: Config, resources: StageResources) => readonly ConfigProblem[];
  readonly environment?: (config: Config) => readonly string[];
  readonly horizon?: Horizon<Config>;
  readonly memo?: Memo<Config>;
  readonly inspect?: (source: SourceToInspect<Config>) => Promise<void>;
  readonly locate?: (search: RecordSearch<Config>) => Promise<RecordPlaces>;
}

/**
 * Where a stage runs that only reads and writes data. One long text or one regular expression can keep its process busy,
 * so that process is killed soon after Ctrl-C.
 */
export const dataStage = { process: 'shared', device: 'none', graceMilliseconds: 500 } as const;

/** What `parse` throws for a user to fix, as a problem of the configuration. */
export function problemsIn(pointer: string, parse: () => unknown): readonly ConfigProblem[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    return [{ pointer, code, message, ...(help === undefined ? {} : { help }) }];
  }
}

/** Joins a declaration with the schema and the compiled validator of the same name. Loads none of the stage's code. */
export function declareStage<Config>(declaration: StageDeclaration<Config>): StageDefinition {
  const { versionOf, ports, check, environment, horizon, memo, inspect, locate, ...others } = declaration;
  const { schema, validate } = stageSchemas[declaration.name];
  const configOf = (config: JsonObject) => config as Config; // decode edge: only called with valid configurations
  return {
    ...others,
    schema,
    validate,
    peerFields,
    peerValues,
    ...(versionOf && { versionOf: (config: JsonObject) => versionOf(configOf(config)) }),
    ports: (config) => ports(configOf(config)),
    ...(check === undefined
      ? {}
      : {
          check: (config: JsonObject, resources: StageResources = {}) => check(configOf(config), resources),
        }),
    ...(environment === undefined
      ? {}
      : { environment: (config: JsonObject) => environment(configOf(config)) }),
    ...(horizon && {
      horizon: {
        fields: (config) => horizon.fields(configOf(config)),
        describe: (config, kept) => horizon.describe(configOf(config), kept),
      },
    }),
    ...(memo && { memo: { ...memo, fieldsApart: (config) => memo.fieldsApart(configOf(config)) } }),
    ...(inspect && {
      inspect: ({ config, ...source }) => inspect({ config: configOf(config), ...source }),
    }),
    ...(locate === undefined
      ? {}
      : { locate: ({ config, ids }: RecordSearch) => locate({ config: configOf(config), ids }) }),
  };
}
