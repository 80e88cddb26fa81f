// Compiles the WebAssembly text under src/tensor/wasm into modules in the same folder.
import { readFile, writeFile } from 'node:fs/promises';
import wabt from 'wabt';

const folder = new URL('../src/tensor/wasm/', import.meta.url);

/** The TypeScript module that holds what `name`.wat compiles to. */
export async function compiledModule(name) {
  const { parseWat } = await wabt();
  const text = await readFile(new URL(`${name}.wat`, folder), 'utf8');
  const { buffer } = parseWat(`${name}.wat`, text, { simd: true }).toBinary({});
  const base64 = Buffer.from(buffer).toString('base64');
  const lines = base64.match(/.{1,100}/g).map((line) => `  '${line}'`);
  return [
    `// Compiled from ${name}.wat by scripts/compile-wasm.mjs.`,
    'export const moduleBase64 =',
    `${lines.join(' +\n')};`,
    '',
  ].join('\n');
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await writeFile(new URL('optimizer-steps-module.ts', folder), await compiledModule('optimizer-steps'));
}
