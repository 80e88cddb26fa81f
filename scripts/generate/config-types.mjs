import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { mapSchema } from './map-schema.mjs';

const options = {
  bannerComment: '',
  additionalProperties: false,
  ignoreMinAndMaxItems: true,
  unknownAny: true,
  style: { singleQuote: true, printWidth: 110 },
};

/** A TypeScript type for each stage's `with` and one for settings: valid, with defaults filled in. */
export async function configTypes(root, { stages, settings, broken }) {
  const files = [];
  for (const { name, schema, from, typeName } of [
    ...stages.map((stage) => ({
      ...stage,
      from: `schemas/stages/${stage.name}.schema.json`,
      typeName: `${pascalCase(stage.name)}Config`,
    })),
    ...(settings === undefined ? [] : [{ ...settingsType, schema: settings }]),
  ]) {
    try {
      files.push({
        path: join(root, `src/generated/${name}-config.ts`),
        text: `// Generated from ${from}.\n\n${await configType(typeName, schema)}`,
      });
    } catch (error) {
      broken.push({ file: from, message: error.message });
    }
  }
  return files;
}

const settingsType = { name: 'settings', from: 'schemas/settings.schema.json', typeName: 'SettingsConfig' };

async function configType(typeName, schema) {
  // A title would name the type.
  const typed = mapSchema(schema, ({ title, ...node }) =>
    node.properties ? withTypedBranches(withDefaultsRequired(node)) : node,
  );
  return readonly(await compile(withTypedBranches(typed), typeName, options));
}

function withDefaultsRequired(node) {
  const defaulted = Object.keys(node.properties).filter((key) => 'default' in node.properties[key]);
  const required = [...new Set([...(node.required ?? []), ...defaulted])];
  return required.length > 0 ? { ...node, required } : node;
}

/**
 * A branch that only says which fields are `required` gets their types from the schema around it. Without any the
 * compiler would take the branch, and with it the whole union, for a map with any fields.
 */
function withTypedBranches(node, around = node.properties ?? {}) {
  const copy = { ...node };
  for (const key of combinations.filter((key) => node[key]))
    copy[key] = node[key].map((branch, index) => {
      const named = Object.entries(around).filter(([field]) => branch.required?.includes(field));
      const properties = { ...Object.fromEntries(named), ...branch.properties };
      const typed = withTypedBranches(branch, { ...around, ...branch.properties });
      if (Object.keys(properties).length > 0) return { ...typed, properties };
      if (key === 'allOf' || typeKeywords.some((keyword) => keyword in branch)) return typed;
      throw new Error(
        `branch ${index + 1} of \`${key}\` would allow any field in the generated type: declare the fields that it is about under its \`properties\``,
      );
    });
  return copy;
}

const combinations = ['anyOf', 'oneOf', 'allOf'];
const typeKeywords = ['type', 'const', 'enum', 'additionalProperties', 'patternProperties', ...combinations];

const readonly = (text) =>
  text.replace(/^( +)((?:[\w$]+|'[^']+'|\[k: string\])\??:)(?=\s)/gm, '$1readonly $2');

const pascalCase = (name) => name.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
