import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// Inside node_modules, where a program's own imports are found.
const folder = fileURLToPath(new URL('../node_modules/.cache/tuneloom-tests/', import.meta.url));

/** Makes a TypeScript file into a program that Node runs, and gives its path. It finds fixtures as the file itself would. */
export async function bundleProgram(entry: string): Promise<string> {
  const outfile = `${folder}${basename(entry, '.ts')}-${process.pid}.mjs`;
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(entry).href) },
  });
  return outfile;
}
