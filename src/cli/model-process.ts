import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const { serveModel } = await import('../serving/index.ts');
serveModel();
