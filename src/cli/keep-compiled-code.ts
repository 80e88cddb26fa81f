import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Lets Node cache the code that it compiles, so that later commands start faster; Node 20 cannot. The folder is beside
 * the code: anyone who can write there could change the code itself. A folder shared by all users would be unsafe.
 */
export function keepCompiledCode(folder: URL): void {
  // Absent before Node 22. If the folder cannot be written, Node goes without a cache.
  const enableCompileCache: unknown = Reflect.get(nodeModule, 'enableCompileCache');
  if (typeof enableCompileCache === 'function') enableCompileCache(fileURLToPath(folder));
}
