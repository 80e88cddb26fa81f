import { spawnSync } from 'node:child_process';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(
  /package\.json$/,
  'bin/tsc',
);
const options = [
  '--ignoreConfig --declaration --emitDeclarationOnly --allowImportingTsExtensions --strict --skipLibCheck',
  '--exactOptionalPropertyTypes --verbatimModuleSyntax --target es2023 --lib es2023,esnext.disposable',
  '--module nodenext --moduleResolution nodenext --types node --rootDir src',
].flatMap((line) => line.split(' '));

/** Writes the types of `entry` and of all that it uses below `folder`, for those who write stages of their own. */
export async function buildTypes(entry, folder) {
  const temporary = `${folder}.${process.pid}`;
  const { status } = spawnSync(process.execPath, [compiler, entry, ...options, '--outDir', temporary], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  for (const name of await readdir(temporary, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(temporary, name);
    const text = await readFile(path, 'utf8');
    // A declaration is found beside the name of what it declares, which ends in .js.
    await writeFile(path, text.replaceAll(/((?:from |import\()'\.[^']*)\.ts'/g, "$1.js'"));
  }
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
}
