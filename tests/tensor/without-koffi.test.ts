import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';

const run = promisify(execFile);

/** Module hooks that hide an installed package. */
function without(name: string): string {
  const hooks = `export const resolve = (specifier, context, next) => {
    if (specifier === '${name}') throw new Error('Cannot find package ${name}');
    return next(specifier, context);
  };`;
  const text = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))});`;
  return dataUrl(text);
}

const dataUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;

test.skipIf(process.env.TENSOR_ONNX_RUNNER !== undefined)(
  'without koffi the onnx backend still computes, with one note (skipped where TENSOR_ONNX_RUNNER names the runner)',
  async () => {
    const program = await bundleProgram(join(import.meta.dirname, 'open-and-compute.ts'));
    const { stdout, stderr } = await run(process.execPath, [
      // Node 26 warns that there is a newer kind of hooks.
      '--disable-warning=DEP0205',
      ...['--import', without('koffi')],
      program,
    ]);
    expect({ printed: JSON.parse(stdout), stderr }).toEqual({
      printed: {
        notes: ['the faster way to call ONNX Runtime does not load: Cannot find package koffi'],
        usesApi: false,
        values: [2, 3],
      },
      stderr: '',
    });
  },
);
