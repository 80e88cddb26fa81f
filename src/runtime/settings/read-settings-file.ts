import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Json } from '../../core/index.ts';
import type { SettingsConfig } from '../../generated/settings-config.ts';
import { schema, validate } from '../../generated/validators/settings.js';
import { fieldPath } from '../config/field-names.ts';
import { childSchema, fillDefaults } from '../config/schema/applicable-schemas.ts';
import { describeSchemaErrors } from '../config/schema/describe-schema-errors.ts';
import { type Checked, type Diagnostic, quoted } from '../diagnostic/diagnostic.ts';
import { positionOf, type TextFile } from '../diagnostic/text-file.ts';
import type { ConfigSchema } from '../stage/stage-definition.ts';
import { readTextFile } from '../yaml/document-reader.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import {
  childOf,
  mapOf,
  mapToJson,
  type YamlMap,
  type YamlNode,
  yamlAt,
  yamlToJson,
} from '../yaml/yaml-doc.ts';
import { badExpressions, isOneVariable, substituteEnvironment } from './environment-values.ts';
import { schemeOf } from './scheme.ts';
import type { AddressCheck, FileSettings, Setting } from './settings.ts';

interface SettingsFile {
  /** Absolute. */
  readonly path: string;
  /** What relative paths in it start from; undefined in a person's file, which has only absolute ones and `~/`. */
  readonly base: string | undefined;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly checkAddress: AddressCheck;
}

const nothing: FileSettings = {
  text: '',
  readonlyStores: [],
  remotes: new Map(),
  trustedKeys: [],
  executors: new Map(),
  secrets: [],
};

/** What a settings file sets, with all of its mistakes. A file without any value sets nothing. */
export async function readSettingsFile(file: SettingsFile): Promise<Checked<FileSettings>> {
  const read = await readTextFile(file.path, file.workingDirectory);
  if (!read.ok) return { value: nothing, diagnostics: [read.error] };
  const parsed = parseWithoutSecrets(read.value);
  const { value: doc, diagnostics } = parsed;
  if (doc === undefined || diagnostics.length > 0) return { value: nothing, diagnostics };
  const problems = [...shapeProblems(doc), ...textProblems(doc, file)];
  if (problems.length > 0 || doc.kind !== 'map') return { value: nothing, diagnostics: problems };
  // The schema has just accepted it.
  const config = fillDefaults(schema, mapToJson(doc)) as unknown as SettingsConfig;
  return { value: settingsOf(config, { ...file, doc }), diagnostics: [] };
}

/**
 * Parses a settings file. If it holds a secret, the text that diagnostics show has dots in its place.
 */
function parseWithoutSecrets(file: TextFile): Checked<YamlNode | undefined> {
  const { value: doc, diagnostics } = parseYaml(file);
  const root = doc?.root;
  const found = root === undefined ? [] : secretsWritten(root, schema, []);
  if (found.length === 0 || diagnostics.length > 0) return { value: root, diagnostics };
  let { text } = file;
  for (const { node } of found) {
    const { start, end } = node.span;
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\s'"]/g, '•') + text.slice(end);
  }
  const hidden = { ...file, text };
  return {
    value: undefined,
    diagnostics: found.map(({ path, node }) => ({
      code: 'written-secret',
      message: `${quoted(fieldPath(path))} holds a secret, and settings only name them`,
      span: { ...node.span, file: hidden },
      help: `put it into an environment variable and write \`\${env.NAME}\`; a secret that has been in a file for others to read should be replaced`,
    })),
  };
}

/** The texts that hold a secret instead of naming it: of a secret's field, or a password in an address. */
function secretsWritten(
  node: YamlNode,
  at: ConfigSchema,
  path: readonly string[],
): readonly { readonly path: readonly string[]; readonly node: YamlNode }[] {
  if (node.kind === 'scalar') {
    const text = typeof node.value === 'string' ? node.value : '';
    const isSecret =
      at['x-secret'] === true
        ? text !== '' && !isOneVariable(text)
        : /^[a-z0-9+.-]+:\/\/[^/?#@]*:(?!\$\{)[^/?#@]+@/i.test(text);
    return isSecret ? [{ path, node }] : [];
  }
  if (node.kind === 'list') return [];
  return [...node.entries].flatMap(([key, { value }]) =>
    secretsWritten(value, childSchema(at, key) ?? {}, [...path, key]),
  );
}

const nameOf = (path: readonly string[]): string => {
  const [section, name, ...rest] = path;
  if (section === undefined) return 'a settings file';
  const kind = { remotes: 'remote', executors: 'executor' }[section];
  if (kind === undefined || name === undefined) return quoted(fieldPath(path));
  const entry = `${kind} ${quoted(name)}`;
  return rest.length === 0 ? entry : `${quoted(fieldPath(rest))} of ${entry}`;
};

function shapeProblems(root: YamlNode): readonly Diagnostic[] {
  if (validate(yamlToJson(root))) return [];
  const span = { ...root.span, end: root.span.start + 1 };
  const subject = { schema, node: root, span, nameOf, homeOf: () => undefined };
  return describeSchemaErrors(subject, validate.errors ?? []);
}

/** Mistakes that the schema cannot see: expressions, relative paths of a person, addresses where a folder belongs. */
function textProblems(root: YamlNode, { base, checkAddress }: SettingsFile): readonly Diagnostic[] {
  return textsIn(root, []).flatMap(({ path, node, text }): readonly Diagnostic[] => {
    const { span } = node;
    const [bad] = badExpressions(text);
    if (bad !== undefined)
      return [
        {
          code: 'bad-expression',
          message: `${quoted(bad)} names no environment variable`,
          span,
          help: `settings know \`\${env.NAME}\`; write \`$\${\` for a plain \`\${\``,
        },
      ];
    const [section] = path;
    const isFolder =
      path.length === (section === 'store' ? 1 : 2) && (section === 'store' || section === 'readonly_stores');
    const isUrl = section === 'remotes' && path.length === 3 && path[2] === 'url';
    const scheme = schemeOf(text);
    if (isFolder && scheme !== undefined)
      return [
        {
          code: 'not-a-folder',
          message: `${nameOf(path)} is a \`${scheme}:\` address, and a store is a folder on this machine`,
          span,
          help: 'name a folder here, and the address as the `url` of one of the `remotes`',
        },
      ];
    // An address that a variable is part of is checked as the remote is opened.
    const problem = isUrl && !text.includes('${') ? checkAddress(text) : undefined;
    if (problem !== undefined) return [{ ...problem, message: `${nameOf(path)}: ${problem.message}`, span }];
    const isPath = isFolder || (isUrl && scheme === undefined && !text.startsWith('${'));
    if (isPath && base === undefined && !isAbsolute(text) && !text.startsWith('~/'))
      return [
        {
          code: 'relative-path',
          message: `${nameOf(path)} is a relative path, and these settings belong to no folder`,
          span,
          help: 'write the whole path, or one that begins with `~/`',
        },
      ];
    return [];
  });
}

interface TextAt {
  readonly path: readonly string[];
  readonly node: YamlNode;
  readonly text: string;
}

function textsIn(node: YamlNode, path: readonly string[]): readonly TextAt[] {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'string' ? [{ path, node, text: node.value }] : [];
    case 'list':
      return node.items.flatMap((item, index) => textsIn(item, [...path, String(index)]));
    case 'map':
      return [...node.entries].flatMap(([key, { value }]) => textsIn(value, [...path, key]));
    default:
      return node satisfies never;
  }
}

function settingsOf(config: SettingsConfig, file: SettingsFile & { readonly doc: YamlMap }): FileSettings {
  const { doc, environment } = file;
  const secrets: string[] = [];
  const setting = <Value extends Json>(value: Value, path: readonly string[]): Setting<Value> => {
    const { node, entry } = yamlAt(doc, path);
    const { start, file: text } = entry?.keySpan ?? node.span;
    const { named, ...substituted } = substituteEnvironment(value, environment);
    secrets.push(...named);
    return {
      ...substituted,
      shown: value,
      origin: { kind: 'file', path: text.displayPath, line: positionOf(text, start).line },
    };
  };
  const folder = (value: string, path: readonly string[]): Setting<string> => {
    const found = setting(value, path);
    return { ...found, value: pathFrom(found.value, file) };
  };
  const named = <Value extends Json>(
    section: 'remotes' | 'executors',
    entries: Readonly<Record<string, Value>>,
  ) =>
    // In the order of the file, which an object with numbers as names would not keep.
    [...(mapOf(childOf(doc, section))?.entries.keys() ?? [])].flatMap((name) => {
      const value = entries[name];
      return value === undefined ? [] : [[name, setting(value, [section, name])] as const];
    });
  const { store, readonly_stores = [], remotes = {}, trust, executors = {}, executor } = config;
  return {
    ...(store !== undefined && { store: folder(store, ['store']) }),
    readonlyStores: readonly_stores.map((path, index) => folder(path, ['readonly_stores', String(index)])),
    remotes: new Map(
      named('remotes', remotes).map(([name, remote]) => {
        const { url } = remote.value;
        const value = { ...remote.value, url: schemeOf(url) === undefined ? pathFrom(url, file) : url };
        return [name, { ...remote, value }];
      }),
    ),
    trustedKeys: (trust?.keys ?? []).map((key, index) => setting(key, ['trust', 'keys', String(index)])),
    executors: new Map(named('executors', executors)),
    ...(executor !== undefined && { executor: setting(executor, ['executor']) }),
    secrets,
    text: doc.span.file.text,
  };
}

const pathFrom = (path: string, { base = '/', environment }: SettingsFile): string =>
  path.startsWith('~/') ? join(environment.HOME || homedir(), path.slice(2)) : resolve(base, path);
