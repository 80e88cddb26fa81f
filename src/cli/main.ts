#!/usr/bin/env node
import { keepCompiledCode } from './keep-compiled-code.ts';

// Before the rest is loaded, which is what it is for.
keepCompiledCode(new URL('./compiled', import.meta.url));
const { start } = await import('./start.ts');
await start({ stageProcess: new URL('./stage-process.js', import.meta.url) });
