// Generates everything that derives from schemas/: config types, compiled validators, the editor's schema, the docs' field
// tables. With --check it writes no checked-in file, and fails with a list of those that differ.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configTypes } from './generate/config-types.mjs';
import { editorSchema } from './generate/editor-schema.mjs';
import { fieldTables } from './generate/field-tables.mjs';
import { readSchemas } from './generate/read-schemas.mjs';
import { stageIndex } from './generate/stage-index.mjs';
import { validators } from './generate/validators.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

const schemas = await readSchemas(root);
const checkedIn = [
  ...(await configTypes(root, schemas)),
  stageIndex(root, schemas),
  editorSchema(root, schemas),
  ...(await fieldTables(root, schemas)),
];
const ignored = await validators(root, schemas);

const stale = [];
for (const file of checkedIn) if (await differs(file)) stale.push(file);
for (const file of check ? ignored : [...stale, ...ignored]) if (await differs(file)) await write(file);

for (const { name, message } of schemas.broken)
  console.error(`schemas/stages/${name}.schema.json: ${message}`);
if (check && stale.length > 0) {
  console.error('These files no longer match schemas/; run `npm run generate`:');
  for (const file of stale) console.error(`  ${relative(root, file.path)}`);
}
if (schemas.broken.length > 0 || (check && stale.length > 0)) process.exitCode = 1;

async function differs({ path, text }) {
  return (await readFile(path, 'utf8').catch(() => undefined)) !== text;
}

/** Through a rename, so that a test run that reads at the same moment never sees half a file. */
async function write({ path, text }) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
