// Writes what follows from schemas/ (config types, compiled validators, the editor's schema, the docs' field tables) and from
// the metrics and benchmarks in src/ (their names in the schemas, their tables in the docs).
// With --check it writes nothing that is checked in, and fails with the list of files that differ.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configTypes } from './generate/config-types.mjs';
import { withDeclaredNames } from './generate/declared-names.mjs';
import { docsTables } from './generate/docs-tables.mjs';
import { editorSchema } from './generate/editor-schema.mjs';
import { readDeclarations } from './generate/read-declarations.mjs';
import { readSchemas } from './generate/read-schemas.mjs';
import { stageIndex } from './generate/stage-index.mjs';
import { validators } from './generate/validators.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

const declared = await readDeclarations(root);
const schemas = withDeclaredNames(await readSchemas(root), declared);
const { broken } = schemas;
const checkedIn = [
  ...schemas.stages.map(({ path, text }) => ({ path, text })),
  ...(await configTypes(root, schemas)),
  stageIndex(root, schemas),
  editorSchema(root, schemas, declared),
  ...(await docsTables(root, schemas, declared)),
];
const ignored = await validators(root, schemas);

const stale = [];
for (const file of checkedIn) if (await differs(file)) stale.push(file);
for (const file of check ? ignored : [...stale, ...ignored]) if (await differs(file)) await write(file);
if (!check) for (const { path } of stale) console.log(`wrote ${relative(root, path)}`);

for (const { file, message } of broken) console.error(`${file}: ${message}`);
if (check && stale.length > 0) {
  console.error('These files are stale; run `npm run generate`:');
  for (const file of stale) console.error(`  ${relative(root, file.path)}`);
}
if (broken.length > 0 || (check && stale.length > 0)) process.exitCode = 1;

async function differs({ path, text }) {
  return (await readFile(path, 'utf8').catch(() => undefined)) !== text;
}

/** Renames a finished file into place, so that a concurrent reader never sees half a file. */
async function write({ path, text }) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
