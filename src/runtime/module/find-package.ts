import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { UsedPackage } from './module-graph.ts';

/** The package that a file within node_modules belongs to: the nearest package.json above it that has a name and a version. */
export function findPackage(file: string): UsedPackage | undefined {
  for (let folder = dirname(file); folder.includes(`${sep}node_modules${sep}`); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    const { name, version } = readManifest(manifest);
    if (typeof name === 'string' && typeof version === 'string') return { name, version, manifest };
  }
  return undefined;
}

function readManifest(path: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
