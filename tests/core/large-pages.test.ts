import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withLargePages } from '../../src/core/index.ts';

test.runIf(process.platform === 'linux')('a setting of large pages that is there already stays', () => {
  const tunables = (given?: string) =>
    withLargePages({ PATH: '/bin', ...(given !== undefined && { GLIBC_TUNABLES: given }) });
  expect([tunables(), tunables('glibc.malloc.check=1'), tunables('glibc.malloc.hugetlb=0')]).toEqual([
    { PATH: '/bin', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
    { PATH: '/bin', GLIBC_TUNABLES: 'glibc.malloc.check=1:glibc.malloc.hugetlb=1' },
    { PATH: '/bin', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' },
  ]);
});

const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
/** Glibc knows the setting from 2.35 on, and has nothing to ask for where Linux gives large pages always or never. */
const onRequest =
  Number(header.glibcVersionRuntime?.split('.')[1] ?? 0) >= 35 &&
  existsSync(setting) &&
  readFileSync(setting, 'utf8').includes('[madvise]');

test.runIf(onRequest)(
  'an array of a process with this environment lies in memory that asks for large pages',
  () => {
    const program = `
    const array = new Float32Array(2 ** 24).fill(1);
    const maps = require('node:fs').readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    const largest = maps.find((map) => Number(/Rss: +(\\d+)/.exec(map)?.[1]) >= 2 ** 16);
    console.log(array.length, / hg( |$)/m.test(largest));`;
    const asks = (env: NodeJS.ProcessEnv) =>
      execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8' });
    const { GLIBC_TUNABLES: _, ...plain } = process.env;
    expect([asks(plain), asks(withLargePages(plain))]).toEqual(['16777216 false\n', '16777216 true\n']);
  },
);
