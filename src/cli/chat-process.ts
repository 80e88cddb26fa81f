import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const { serveChat } = await import('./chat/serve-chat.ts');
serveChat();
