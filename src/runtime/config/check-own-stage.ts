import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { err, isObject, type Json, type JsonObject, ok, type Result } from '../../core/index.ts';
import { schema, validate } from '../../generated/validators/own-stage.js';
import { type Checked, type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type {
  ConfigSchema,
  InputPort,
  OutputPort,
  SchemaValidator,
  StageDefinition,
  StagePorts,
  StageRegistry,
} from '../stage/stage-definition.ts';
import { type DocumentReader, describeNeighbors } from '../yaml/document-reader.ts';
import { childOf, textOf, type YamlDoc, type YamlNode, yamlAt, yamlToJson } from '../yaml/yaml-doc.ts';
import { checkStage, type WrittenStage, writtenBindings } from './check-stage.ts';
import { fieldPath } from './field-names.ts';
import { fillDefaults, someMember } from './schema/applicable-schemas.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';
import type { DeclaredAt, PipelineStage } from './valid-pipeline.ts';

/** Whether `uses` names the folder of a user's stage. */
export const isOwnStage = (uses: YamlNode | undefined): uses is YamlNode =>
  uses?.reported !== true && /^\.{0,2}\//.test(textOf(uses) ?? '');

const description = 'stage.yaml';
const entries = ['index.ts', 'index.mts', 'index.js', 'index.mjs'];

interface OwnStage {
  readonly definition: StageDefinition;
  readonly declaredAt: DeclaredAt;
}

/** Reads a user's stage as its stage.yaml declares it. None of its code is loaded. */
async function checkOwnStage(
  folder: string,
  {
    uses,
    reader,
    registry,
  }: { readonly uses: YamlNode; readonly reader: DocumentReader; readonly registry: StageRegistry },
): Promise<Checked<OwnStage | undefined>> {
  const span = uses.usedAt ?? uses.span;
  const entry = entries.map((name) => resolve(folder, name)).find((path) => existsSync(path));
  if (!existsSync(folder)) {
    const help = await describeNeighbors(folder, reader.display(folder));
    const message = `there is no folder ${quoted(reader.display(folder))}`;
    return {
      value: undefined,
      diagnostics: [{ code: 'missing-file', message, span, ...(help && { help }) }],
    };
  }
  const { value: doc, diagnostics } = await reader.read(join(folder, description), span);
  const missing: readonly Diagnostic[] =
    entry === undefined
      ? [
          {
            code: 'missing-file',
            message: `${quoted(reader.display(folder))} has no code: it needs ${listOf(entries, 'or')}`,
            span,
          },
        ]
      : [];
  if (doc === undefined) return { value: undefined, diagnostics: [...diagnostics, ...missing] };
  const declared = await declare(doc, { entry: entry ?? '', registry });
  return {
    value: entry === undefined ? undefined : declared.value,
    diagnostics: [...diagnostics, ...missing, ...declared.diagnostics],
  };
}

async function declare(
  doc: YamlDoc,
  { entry, registry }: { readonly entry: string; readonly registry: StageRegistry },
): Promise<Checked<OwnStage | undefined>> {
  const written = yamlToJson(doc.root);
  if (!validate(written)) return { value: undefined, diagnostics: mistakes(doc) };
  // The schema has just accepted it: a map with these fields.
  const filled = fillDefaults(schema, written as JsonObject) as unknown as OwnStageFile;
  const name = childOf(doc.root, 'name');
  if (registry.has(filled.name))
    return {
      value: undefined,
      diagnostics: [
        {
          code: 'name-taken',
          message: `${quoted(filled.name)} is the name of a built-in stage`,
          ...(name && { span: name.span }),
          help: 'give your stage another name',
        },
      ],
    };
  const config = await compileConfigSchema(filled.config);
  if (!config.ok) {
    const { span } = childOf(doc.root, 'config') ?? doc.root;
    return { value: undefined, diagnostics: [{ code: 'bad-schema', message: config.error, span }] };
  }
  const ports: StagePorts = {
    inputs: portsOf(filled.inputs, inputPort),
    outputs: portsOf(filled.outputs, outputPort),
  };
  const definition: StageDefinition = {
    name: filled.name,
    version: filled.version,
    ...config.value,
    ports: () => ports,
    process: 'child',
    device: 'none',
    environment: () => filled.environment,
    code: { entry, ports: { inputs: filled.inputs, outputs: filled.outputs } },
    load: () => Promise.reject(new Error(`${filled.name} runs in its own process`)),
  };
  return { value: { definition, declaredAt: (what) => declaredAt(doc, what) }, diagnostics: [] };
}

function declaredAt({ root }: YamlDoc, what: Parameters<DeclaredAt>[0]): Span | undefined {
  if (what === 'version') return (childOf(root, 'version') ?? childOf(root, 'name'))?.span;
  if (what === 'ports') return (childOf(root, 'inputs') ?? childOf(root, 'outputs'))?.span;
  const place = ['config', ...what.flatMap((name) => ['properties', name]), 'default'];
  const { node, exact } = yamlAt(root, place);
  return exact ? node.span : undefined;
}

interface OwnStageFile {
  readonly name: string;
  readonly version: number;
  readonly inputs: JsonObject;
  readonly outputs: JsonObject;
  readonly config: JsonObject;
  readonly environment: readonly string[];
}

const mistakes = ({ root }: YamlDoc): readonly Diagnostic[] =>
  describeSchemaErrors(
    {
      schema,
      node: root,
      span: { ...root.span, end: root.span.start + 1 },
      nameOf: (path) => (path.length === 0 ? 'the stage' : quoted(fieldPath(path))),
      homeOf: () => undefined,
    },
    validate.errors ?? [],
  );

/** Checks a use of a user's stage, whose folder is relative to the file that names it. */
export async function checkUseOfOwnStage(
  use: WrittenStage & { readonly uses: YamlNode; readonly reader: DocumentReader },
): Promise<Checked<PipelineStage>> {
  const { id, entry, uses } = use;
  const name = textOf(uses) ?? '';
  const own = await checkOwnStage(resolve(dirname(uses.span.file.path), name), use);
  if (own.value !== undefined) {
    const { definition, declaredAt } = own.value;
    return checkStage({ id, entry, registry: new Map([[name, definition]]), declaredAt });
  }
  const stage = { id, idSpan: entry.keySpan, ...writtenBindings(entry.value), setup: undefined };
  return { value: stage, diagnostics: own.diagnostics };
}

const everyType = ['batches', 'history', 'model', 'records', 'responses', 'scores', 'tokenizer', 'tokens'];

/** The ports that stage.yaml declares, sorted by name because the order of a map means nothing. */
function portsOf<Port>(declared: JsonObject, portOf: (fields: JsonObject) => Port) {
  const sorted = Object.entries(declared).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, port]) => [name, portOf(fieldsOf(port))]));
}

/** `records` is short for `{ type: records }`. */
const fieldsOf = (port: Json): JsonObject => (isObject(port) ? port : { type: port });

const inputPort = ({ type, required, parts }: JsonObject): InputPort => ({
  accepts: type === 'file' ? ['file', ...everyType] : [String(type)],
  required: required !== false,
  parts: parts === 'each' ? 'each' : 'one',
});

const outputPort = ({ type, parts }: JsonObject): OutputPort => ({
  type: String(type),
  ...(Array.isArray(parts) && { parts: parts.map(String) }),
});

const options = { allErrors: true, allowUnionTypes: true, strictTypes: false, strictTuples: false };

/** Compiles the schema of a user's stage, which allows no other fields unless it says so. The error is one sentence. */
async function compileConfigSchema(
  written: JsonObject,
): Promise<Result<Pick<StageDefinition, 'schema' | 'validate'>, string>> {
  const schema: ConfigSchema = { type: 'object', additionalProperties: false, ...written };
  if (schema.type !== 'object') return err('the schema must be that of a map, with the `type` `object`');
  if (someMember(schema, (name) => name === '$ref'))
    return err('`$ref` is not supported: write the schema in its place');
  // A CommonJS package: once bundled, it has only its default export.
  const { Ajv } = (await import('ajv')).default;
  const ajv = new Ajv({ ...options, ownProperties: true });
  ajv.addKeyword({ keyword: 'x-key', metaSchema: { enum: ['source', 'none', 'unless-default'] } });
  try {
    // The same shape as ajv's standalone code, which the runtime is written for.
    return ok({ schema, validate: ajv.compile(schema) as SchemaValidator });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return err(`the schema is not valid: ${reason.replace('schema is invalid: ', '')}`);
  }
}
