import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import { openTensorBackend, type TensorBackendName } from '../../../src/tensor/index.ts';
import type { OnnxBackend } from '../../../src/tensor/onnx/onnx-backend.ts';

export interface SpecResult {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'pending';
  readonly failures: readonly string[];
  /** Whether the backend ran a graph for it; otherwise tfjs-core rejected its arguments, or it is about the host. */
  readonly computed: boolean;
}

interface JasmineResult {
  readonly fullName: string;
  readonly status: SpecResult['status'] | 'excluded';
  readonly failedExpectations: readonly { readonly message: string }[];
}

/** The used part of Jasmine, whose package has no types. */
interface Jasmine {
  getEnv(): {
    configure(settings: { random: boolean; specFilter(spec: { getFullName(): string }): boolean }): void;
    addReporter(reporter: { specStarted(): void; specDone(result: JasmineResult): void }): void;
    execute(): Promise<unknown>;
  };
}

/** Runs those tests of tfjs-core that are about a backend, on this one. `load` loads their modules. */
export async function runSuite({
  backend,
  load,
}: {
  readonly backend: TensorBackendName;
  readonly load: () => Promise<unknown>;
}): Promise<SpecResult[]> {
  const { boot } = createRequire(import.meta.url)('jasmine-core') as { boot(): Jasmine };
  const environment = boot().getEnv();
  await openTensorBackend({ backend, threads: 2 });
  const mark = ` on-${backend} `; // tfjs-core puts the name into the title of each of these tests
  setTestEnvs([{ name: mark.trim(), backendName: backend, isDataSync: true }]);
  await load();
  const results: SpecResult[] = [];
  let before = 0;
  environment.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(mark) });
  environment.addReporter({
    specStarted: () => {
      before = runs(backend);
    },
    specDone: ({ fullName, status, failedExpectations }) => {
      if (status === 'excluded') return;
      const name = fullName.replace(`${mark}{}`, ':');
      const failures = failedExpectations.map(({ message }) => message);
      results.push({ name, status, failures, computed: runs(backend) > before });
    },
  });
  await environment.execute();
  return results;
}

function runs(backend: TensorBackendName): number {
  const found = backend === 'onnx' ? (tf.findBackend(backend) as OnnxBackend) : undefined; // registered by its name
  return found?.statistics.runs ?? 0;
}
