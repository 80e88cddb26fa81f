import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Has Node keep what it compiles, so that later commands start sooner; Node 20 cannot. The folder stands beside the
 * code: who can write there could change the code itself, while a folder that all users share would let others do so.
 */
export function keepCompiledCode(folder: URL): void {
  // Absent before Node 22; a folder that cannot be written is no failure.
  const enableCompileCache: unknown = Reflect.get(nodeModule, 'enableCompileCache');
  if (typeof enableCompileCache === 'function') enableCompileCache(fileURLToPath(folder));
}
