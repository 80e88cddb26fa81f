import { describe, expect, test } from 'vitest';
import { multipliesBfloat16 } from '../../src/tensor/processor.ts';
import { installedTensorflow, tensorflowFolder } from '../../src/tensor/tensorflow/locate-tensorflow.ts';
import { openCliRig } from './rig.ts';
import { tuningStages } from './tuning.ts';

const rows = Array.from({ length: 6 }, (_, row) => ({ text: `w${row} w${row + 1} w${row + 2} w${row + 3}` }));

const tune = `name: tune\n${tuningStages(1)}`;
const half = tune.replace('epochs: 1', 'epochs: 1, precision: bf16');
const project = { 'package.json': '{}', 'rows.json': JSON.stringify(rows), 'tune.yaml': half };

const whoHasIt =
  'NVIDIA GPUs have it with `cuda` or `tensorflow`, other GPUs fp16 with `webgpu`, and processors with AVX512-BF16 or AMX bf16 with `tensorflow` (`tuneloom setup tensorflow`)';

describe('a precision that the backend never has is refused before anything runs', () => {
  test('in the file, together with other mistakes', async () => {
    await using rig = await openCliRig({
      ...project,
      'tune.yaml': half.replace(
        'precision: bf16 }',
        'precision: bf16, base_precision: int8, lora: {} }\n    resources: { backend: cpu }',
      ),
    });
    const { exitCode, stderr } = await rig.tuneloom('run');
    const mistakes = stderr.split('\n').filter((line) => / error\[|help:|\d errors?/.test(line));
    expect([exitCode, mistakes]).toEqual([
      2,
      [
        'tune.yaml:18:35 error[no-such-precision] the backend `cpu` multiplies in float32 only, and `precision` asks for bf16',
        `  help: remove \`precision\`, or choose another backend: ${whoHasIt}`,
        'tune.yaml:18:57 error[half-of-rounded] `base_precision` is for the backends onnx and cpu, which have no `precision` but float32',
        '  help: remove one of them',
        '2 errors. Nothing ran.',
      ],
    ]);
  });

  test('on the command line', async () => {
    await using rig = await openCliRig(project);
    const { exitCode, stdout, stderr } = await rig.tuneloom('run', '--backend', 'onnx');
    expect([exitCode, stdout, stderr]).toEqual([
      2,
      '',
      `error: with --backend onnx, \`train\` cannot run: the backend \`onnx\` multiplies in float32 only, and \`precision\` asks for bf16
  help: remove \`precision\`, or choose another backend: ${whoHasIt}`,
    ]);
    const onWebgpu = await rig.tuneloom('run', '--backend', 'webgpu');
    expect([onWebgpu.exitCode, onWebgpu.stderr.split('\n')[0]]).toEqual([
      2,
      'error: with --backend webgpu, `train` cannot run: the backend `webgpu` multiplies in float32 and fp16 only, and `precision` asks for bf16',
    ]);
  });
});

test('where `auto` finds no backend that has it, the stage fails and says what to do', async () => {
  await using rig = await openCliRig(project);
  const { exitCode, stdout } = await rig.tuneloomWith({ TUNELOOM_TENSORFLOW: rig.folder }, 'run');
  expect(exitCode).toBe(1);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    `the backend onnx does not multiply in bf16 on this machine help: leave out \`precision\`, or use another backend: ${whoHasIt}`,
  );
});

const hasBfloat16 = installedTensorflow() !== undefined && multipliesBfloat16();

test.runIf(hasBfloat16)(
  'where TensorFlow has bf16, `auto` takes it, the record says so, and the result is reused on any backend',
  async () => {
    await using rig = await openCliRig(project);
    const env = { TUNELOOM_TENSORFLOW: tensorflowFolder() };
    const { exitCode, stderr } = await rig.tuneloomWith(env, 'run');
    expect([exitCode, stderr]).toEqual([0, '']);
    const { stages } = JSON.parse((await rig.tuneloom('runs', 'latest', '--json')).stdout);
    expect(stages.train.measurements).toMatchObject({ backend: 'tensorflow', precision: 'bf16', steps: 2 });
    const again = await rig.tuneloom('run', '--backend', 'onnx');
    expect(again.stdout).toContain('nothing had to run; 6 stages reused');
  },
);
