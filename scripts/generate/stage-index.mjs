import { join } from 'node:path';

/** The table that gives a stage's declaration its schema and validator. */
export function stageIndex(root, { stages }) {
  const imports = stages.map(({ name }) => `import * as ${camelCase(name)} from './validators/${name}.js';`);
  const rows = stages.map(({ name }) =>
    name.includes('-') ? `  '${name}': ${camelCase(name)},` : `  ${name},`,
  );
  return {
    path: join(root, 'src/generated/stage-schemas.ts'),
    text: `// Generated from schemas/stages/.

import type { ConfigSchema, SchemaValidator } from '../runtime/index.ts';
${imports.join('\n')}

/** Stage name -> the schema of its \`with\` and the compiled validator. */
export const stageSchemas = {
${rows.join('\n')}
} satisfies Record<string, { readonly schema: ConfigSchema; readonly validate: SchemaValidator }>;

export type StageName = keyof typeof stageSchemas;
`,
  };
}

const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
