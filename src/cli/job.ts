import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const [{ runJobFolder }, { stageRegistry }] = await Promise.all([
  import('../executors/index.ts'),
  import('../stages/index.ts'),
]);
const [, , folder = ''] = process.argv;
const stageProcess = fileURLToPath(new URL('./stage-process.js', import.meta.url));
await runJobFolder(folder, { registry: stageRegistry, stageProcess });
