import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';

const run = promisify(execFile);

/** Module hooks under which a package that is installed is as good as absent. */
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
  'where koffi is not installed the onnx backend computes all the same, and says so in one note (skipped where TENSOR_ONNX_RUNNER names the runner)',
  async () => {
    const program = await bundleProgram(join(import.meta.dirname, 'open-and-compute.ts'));
    const { stdout, stderr } = await run(process.execPath, [
      // Node 26 says of the hooks that it has newer ones.
      '--disable-warning=DEP0205',
      ...['--import', without('koffi')],
      program,
    ]);
    expect({ told: JSON.parse(stdout), stderr }).toEqual({
      told: {
        notes: ['the faster way to call ONNX Runtime does not load: Cannot find package koffi'],
        usesApi: false,
        values: [2, 3],
      },
      stderr: '',
    });
  },
);
