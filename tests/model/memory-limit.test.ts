import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryLeft } from '../../src/model/memory-limit.ts';

/** What `memoryLeft` finds with these files in place of the system's. */
async function leftWith(files: Readonly<Record<string, string>>): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'memory-limit-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    return memoryLeft(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const mb = (count: number) => `${count * 1e6}\n`;

test.runIf(process.platform === 'linux')('memory is what the tightest control group leaves', async () => {
  const job = 'sys/fs/cgroup/slurm/job_7';
  expect(
    await leftWith({
      'proc/self/cgroup': '0::/slurm/job_7/step_0\n',
      'sys/fs/cgroup/slurm/job_7/step_0/memory.max': 'max\n',
      'sys/fs/cgroup/slurm/job_7/step_0/memory.current': mb(90),
      [`${job}/memory.max`]: mb(100),
      [`${job}/memory.high`]: 'max\n',
      [`${job}/memory.current`]: mb(90),
      [`${job}/memory.stat`]: 'anon 30000000\ninactive_file 40000000\nactive_file 20000000\n',
    }),
  ).toBe(70e6);
});

test.runIf(process.platform === 'linux')(
  'memory is what a container of the first version leaves',
  async () => {
    expect(
      await leftWith({
        'proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': mb(80), // in a container its own group is at the top
        'sys/fs/cgroup/memory/memory.usage_in_bytes': mb(75),
        'sys/fs/cgroup/memory/memory.stat':
          'cache 50000000\ntotal_inactive_file 45000000\ntotal_active_file 5000000\n',
      }),
    ).toBe(55e6);
  },
);

test.runIf(process.platform === 'linux')('memory is the system’s where nothing limits it', async () => {
  const left = await leftWith({
    'proc/self/cgroup': '4:memory:/\n0::/\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': mb(75),
  });
  expect(left / freemem()).toBeCloseTo(1, 1);
});
