import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { schema, validate } from '../../generated/validators/own-stage.js';
import type { JsonObject } from '../../json.ts';
import type { Checked } from '../diagnostic/checked.ts';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import type { DocumentReader } from '../source/document-reader.ts';
import { nearNames } from '../source/near-names.ts';
import { childOf, textOf, yamlAt } from '../source/yaml-at.ts';
import type { YamlDoc, YamlNode } from '../source/yaml-doc.ts';
import { yamlToJson } from '../source/yaml-to-json.ts';
import type { StageDefinition, StageRegistry } from '../stage/stage-definition.ts';
import { compileConfigSchema } from './compile-config-schema.ts';
import { ownPorts } from './own-ports.ts';
import { fieldPath } from './place-in-words.ts';
import { describeSchemaErrors } from './schema/describe-schema-errors.ts';
import { fillDefaults } from './schema/fill-defaults.ts';
import type { DeclaredAt } from './valid-pipeline.ts';

/** Whether what `uses` says is the folder of a stage of the user's own. */
export const isOwnStage = (uses: YamlNode | undefined): uses is YamlNode =>
  uses?.reported !== true && /^\.{0,2}\//.test(textOf(uses) ?? '');

const description = 'stage.yaml';
const entries = ['index.ts', 'index.mts', 'index.js', 'index.mjs'];

export interface OwnStage {
  readonly definition: StageDefinition;
  readonly declaredAt: DeclaredAt;
}

/** Reads a stage of the user's own as its stage.yaml declares it. None of its code is loaded. */
export async function checkOwnStage(
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
    const help = await nearNames(folder, reader.display(folder));
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
            message: `${quoted(reader.display(folder))} has no code: there is no ${listOf(entries, 'or')}`,
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
  // Its schema has just accepted it: a map with these fields.
  const filled = fillDefaults(schema, written as JsonObject) as unknown as OwnStageFile;
  const name = childOf(doc.root, 'name');
  if (registry.has(filled.name))
    return {
      value: undefined,
      diagnostics: [
        {
          code: 'name-taken',
          message: `${quoted(filled.name)} is the name of a stage that comes with tuneloom`,
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
  const ports = ownPorts(filled);
  const definition: StageDefinition = {
    name: filled.name,
    version: filled.version,
    ...config.value,
    ports: () => ports,
    process: 'child',
    device: 'none',
    environment: () => filled.environment,
    code: { entry, ports: { inputs: filled.inputs, outputs: filled.outputs } },
    load: () => Promise.reject(new Error(`${filled.name} runs in a process of its own`)),
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
