import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from './keep-compiled-code.ts';

keepCompiledCode(new URL('./compiled', import.meta.url));
const { serveJob } = await import('./serve-job.ts');
const [, , folder = ''] = process.argv;
await serveJob(folder, fileURLToPath(new URL('./stage-process.js', import.meta.url)));
