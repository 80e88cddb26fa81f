import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const [{ serveStageProcess }, { stageRegistry }] = await Promise.all([
  import('../runtime/index.ts'),
  import('../stages/index.ts'),
]);
serveStageProcess(stageRegistry);
