import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ourWorker } from './worker.mjs';

/** A folder with a GPT-2 of 124M random weights, made on first use; both sides of a comparison load it. */
export async function gpt2Folder() {
  const folder = process.env.TUNELOOM_BENCH_MODEL ?? join(tmpdir(), 'tuneloom-bench-gpt2');
  if (existsSync(join(folder, 'model.safetensors'))) return folder;
  mkdirSync(folder, { recursive: true });
  const maker = await ourWorker('make-gpt2', folder);
  await maker.ask({});
  maker.end();
  return folder;
}
