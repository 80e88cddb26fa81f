import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const { serve } = await import('./serve-stages.ts');
serve();
