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

/** One TypeScript interface for each stage: its `with`, valid and with defaults filled in. */
export async function configTypes(root, { stages, broken }) {
  const files = [];
  for (const { name, schema } of stages) {
    try {
      const typeName = `${pascalCase(name)}Config`;
      const text = await compile(withDefaultsRequired(schema), typeName, options);
      files.push({
        path: join(root, `src/generated/${name}-config.ts`),
        text: `// Generated from schemas/stages/${name}.schema.json.\n\n${readonly(text)}`,
      });
    } catch (error) {
      broken.push({ name, message: error.message });
    }
  }
  return files;
}

function withDefaultsRequired(schema) {
  return mapSchema(schema, ({ title, ...node }) => {
    if (!node.properties) return node;
    const defaulted = Object.keys(node.properties).filter((key) => 'default' in node.properties[key]);
    const required = [...new Set([...(node.required ?? []), ...defaulted])];
    return required.length > 0 ? { ...node, required } : node;
  });
}

const readonly = (text) =>
  text.replace(/^( +)((?:[\w$]+|'[^']+'|\[k: string\])\??:)(?=\s)/gm, '$1readonly $2');

const pascalCase = (name) => name.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
