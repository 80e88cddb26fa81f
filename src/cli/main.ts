#!/usr/bin/env node
import { keepCompiledCode } from './keep-compiled-code.ts';

// Before anything else is loaded, so that it is cached too.
keepCompiledCode(new URL('./compiled', import.meta.url));
const { start } = await import('./start.ts');
await start({ stageProcess: new URL('./stage-process.js', import.meta.url) });
