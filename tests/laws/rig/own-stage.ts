import { type Content, eachFile } from './content.ts';

/** The ways to write an own stage on disk, and what each text means, without any code of the product. */
const stageYaml = (fields: readonly string[]): string => `${fields.join('\n')}\n`;
const [name, ports] = ['name: own', 'inputs: { records: { type: records, parts: each } }'];
const outputs = 'outputs: { records: records }';
const config = (most: number): string =>
  `config:\n  properties:\n    most: { type: integer, default: ${most} }`;

const code = `import { readFile, writeFile } from 'node:fs/promises';
import { mark } from './lib/mark.ts';

export async function run({ config, inputs, outputs }: any) {
  const pairs = inputs.records.parts === undefined
    ? [[inputs.records.path, outputs.records.path]]
    : Object.entries(inputs.records.parts).map(([part, path]) => [path, outputs.records.parts[part]]);
  for (const [from, to] of pairs) {
    const rows = (await readFile(from, 'utf8')).split('\\n').filter(Boolean).slice(0, config.most);
    await writeFile(to, rows.map((row) => \`\${JSON.stringify({ ...JSON.parse(row), mark })}\\n\`).join(''));
  }
  return {};
}
`;

export const ownFiles: Readonly<Record<string, readonly string[]>> = {
  'own/stage.yaml': [
    stageYaml([name, ports, outputs, config(2)]),
    stageYaml([name, ports, outputs, config(3)]),
    stageYaml(['# what it takes', ports, '# and gives', outputs, config(2), name]),
    stageYaml([name, 'version: 2', ports, outputs, config(2)]),
  ],
  'own/index.ts': [code, `// A comment.\n${code}`],
  'own/lib/mark.ts': [
    "export const mark = 'x';\n",
    "export const mark = 'y';\n",
    "export const mark = 'x'; // why\n",
  ],
};

/** What the files of the stage say. */
export function readOwnStage(files: Readonly<Record<string, string>>): {
  readonly version: number;
  readonly most: number;
  readonly code: Readonly<Record<string, string>>;
  /** The line of a field of stage.yaml, or of what sets it instead. */
  readonly lineOf: (field: 'version' | 'most') => number;
} {
  const yaml = files['own/stage.yaml'] ?? '';
  const number = (pattern: RegExp): number => Number(pattern.exec(yaml)?.[1] ?? 1);
  const lineOf = (text: string): number => yaml.slice(0, yaml.indexOf(text)).split('\n').length;
  return {
    version: number(/version: (\d+)/),
    most: number(/default: (\d+)/),
    code: { 'index.ts': files['own/index.ts'] ?? '', 'lib/mark.ts': files['own/lib/mark.ts'] ?? '' },
    lineOf: (field) => lineOf(field === 'most' ? 'most:' : yaml.includes('version:') ? 'version:' : 'name:'),
  };
}

/** What the stage's code does, written a second time. */
export function runOwnStage(
  records: Content,
  { most, files }: { readonly most: number; readonly files: Readonly<Record<string, string>> },
): Content {
  const [, mark] = /mark = '(.)'/.exec(files['own/lib/mark.ts'] ?? '') ?? [];
  const shortened = (text: string): string =>
    text
      .split('\n')
      .filter(Boolean)
      .slice(0, most)
      .map((row) => `${JSON.stringify({ ...JSON.parse(row), mark })}\n`)
      .join('');
  return eachFile(records, shortened);
}
