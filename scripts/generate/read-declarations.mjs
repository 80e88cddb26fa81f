import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const exported = `
  export { benchmarkMetrics, benchmarks } from './src/benchmarks/index.ts';
  export { answerMetrics, generalMetrics, responseContents } from './src/metrics/index.ts';
  export { namedTemplates } from './src/text/index.ts';
  export { fieldsOfPeers, peerFields } from './src/stages/peer-fields.ts';
`;

/** The metrics, benchmarks and templates that the sources declare. Node 20 does not run TypeScript, so they are bundled first. */
export async function readDeclarations(root) {
  const { outputFiles } = await build({
    stdin: { contents: exported, resolveDir: root, loader: 'ts' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'error',
  });
  // In node_modules, where it finds the packages that it imports.
  const folder = join(root, 'node_modules/.cache/tuneloom');
  const path = join(folder, `declarations-${process.pid}.mjs`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(path, outputFiles[0].text);
    const declared = await import(pathToFileURL(path).href);
    const { benchmarks, benchmarkMetrics, answerMetrics, generalMetrics, responseContents } = declared;
    const { namedTemplates, fieldsOfPeers, peerFields } = declared;
    const metrics = Object.entries({ ...generalMetrics, ...benchmarkMetrics });
    return {
      metrics: metrics.map(([name, { reads, ...metric }]) => ({
        name,
        ...metric,
        reads: contentNamed(reads, { metric: name, responseContents }),
      })),
      answerMetrics: Object.keys(answerMetrics),
      benchmarks,
      peers: { fields: fieldsOfPeers, advice: peerFields },
      templates: [
        ...Object.keys(namedTemplates),
        'chat',
        ...benchmarks.flatMap(({ templates = {} }) => Object.keys(templates)),
      ],
    };
  } finally {
    await rm(path, { force: true });
  }
}

/** The types cannot check this before the names are generated. */
function contentNamed(reads, { metric, responseContents }) {
  const content = responseContents[reads];
  if (content !== undefined) return content.name;
  const known = Object.keys(responseContents).join(', ');
  throw new Error(`the metric ${metric} reads ${reads}, which is none of ${known} (src/metrics/metric.ts)`);
}
