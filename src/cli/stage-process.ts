import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const [{ serveStageProcess }, { stageRegistry }] = await Promise.all([
  import('../runtime/execute/serve-stage-process.ts'),
  import('../stages/registry.ts'),
]);
await serveStageProcess(stageRegistry);
