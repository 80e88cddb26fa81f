import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// The source files that a run with nothing to do enters: a file counts when one of its functions runs more often than
// loading the file alone makes it run. For each FILE instead: the files that it imports, with and without `import()`.
// node bench/journeys.mjs [--command dist/tuneloom.js] [FILE...]
const text = `name: journeys
stages:
  first: { uses: shell, with: { command: 'echo data > "$OUT_text"', outputs: { text: file } } }
  second:
    uses: shell
    from: { text: first }
    with: { command: 'cp "$IN_text" "$OUT_text"', inputs: { text: file }, outputs: { text: file } }
`;
const root = resolve(import.meta.dirname, '..');
const given = process.argv.slice(2);
const command = resolve(given[0] === '--command' ? given.splice(0, 2)[1] : join(root, 'dist/tuneloom.js'));
if (given.length === 0) idleRun();
for (const file of given) {
  say(`${file} with all imports`, reachable(resolve(file), 'any'));
  say(`${file} with static imports`, reachable(resolve(file), 'static'));
}

function say(title, files) {
  const lines = [...files].reduce((sum, file) => sum + readFileSync(file, 'utf8').split('\n').length - 1, 0);
  console.log(`${title}: ${files.size} files, ${lines} lines`);
}

function idleRun() {
  const folder = mkdtempSync(join(tmpdir(), 'tuneloom-journeys-'));
  try {
    const pipeline = join(folder, 'pipeline.yaml');
    writeFileSync(pipeline, text);
    const args = [command, 'run', pipeline, '--store', join(folder, 'store')];
    covered(args, join(folder, 'first'));
    const idle = covered(args, join(folder, 'idle'));
    const imports = [...idle.keys()].filter((url) => fileURLToPath(url) !== command);
    const loading = imports.map((url) => `await import(${JSON.stringify(url)});`).join('\n');
    const loaded = covered(['--input-type=module', '-e', loading], join(folder, 'loaded'));
    const files = new Set();
    for (const [url, functions] of idle) {
      const [before, sourceOf] = [loaded.get(url) ?? new Map(), sourcesOf(fileURLToPath(url))];
      for (const [offset, count] of functions)
        if (offset > 0 && count > (before.get(offset) ?? 0)) files.add(sourceOf(offset));
    }
    const own = new Set([...files].filter((file) => file?.includes(`${sep}src${sep}`)));
    for (const file of [...own].sort()) console.log(`  ${relative(root, file)}`);
    say('a run with nothing to do', own);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs Node. Script -> offset of a function -> number of calls, for the scripts beside the command. */
function covered(args, folder) {
  const env = { ...process.env, NODE_V8_COVERAGE: folder };
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const scripts = readdirSync(folder).flatMap(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).result,
  );
  return new Map(
    scripts
      .filter(({ url }) => url.startsWith(pathToFileURL(dirname(command)).href))
      .map(({ url, functions }) => [
        url,
        new Map(functions.map(({ ranges: [whole] }) => [whole.startOffset, whole.count])),
      ]),
  );
}

/** Maps an offset in a bundle to its source file. */
function sourcesOf(bundle) {
  if (!existsSync(`${bundle}.map`)) return () => undefined;
  const text = readFileSync(bundle, 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')));
  return (offset) => {
    const before = text.slice(0, offset).split('\n');
    const { originalSource } = map.findEntry(before.length - 1, before.at(-1).length);
    return originalSource && resolve(dirname(bundle), originalSource);
  };
}

/** The file and everything it imports, type imports left out. */
function reachable(file, kind, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  const source = readFileSync(file, 'utf8').replaceAll(/^(?:import|export) type [^;]*;/gm, '');
  const statically = source.matchAll(/\bfrom '(\.[^']+\.ts)'/g);
  const lazily = kind === 'any' ? source.matchAll(/\bimport\('(\.[^']+\.ts)'\)/g) : [];
  for (const [, path] of [...statically, ...lazily]) reachable(resolve(dirname(file), path), kind, found);
  return found;
}
