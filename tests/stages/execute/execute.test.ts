import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { executeStage } from '../../../src/stages/execute/execute-stage.ts';
import { run } from '../../../src/stages/execute/run-execute.ts';
import { openSandbox } from '../../../src/stages/execute/sandbox.ts';
import { parseResponse, type ResponseRecord } from '../../../src/text/response-record.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';

const defaults = {
  program: '{{ response }}',
  tests: '',
  python: 'python3',
  timeout_seconds: 3,
  memory_megabytes: 256,
  processes: 8,
};
const lacks = await openSandbox({
  python: 'python3',
  timeoutSeconds: 3,
  memoryMegabytes: 256,
  processes: 8,
}).then(
  () => undefined,
  (error: Error) => error.message,
);
const sandboxed = test.skipIf(lacks !== undefined);
const why = lacks === undefined ? '' : ` (skipped: ${lacks})`;

const executedIn = async (rig: StageRig): Promise<readonly ResponseRecord[]> =>
  (await rig.readRecords('executed')).map((row) => parseResponse(row, 'executed'));

async function outcomesOf(programs: readonly string[], config: object = {}): Promise<readonly unknown[]> {
  await using rig = await openStageRig();
  const row = { prompt: '', expected: '', fields: {} };
  await rig.writeRecords(
    'answers',
    programs.map((response, index) => ({ ...row, id: `${index}`, response })),
  );
  await rig.run(
    { run },
    {
      config: { ...defaults, ...config },
      inputs: { responses: 'answers' },
      outputs: { responses: 'executed' },
    },
  );
  return (await executedIn(rig)).map(({ outcome, passed }) => {
    expect(passed).toBe(outcome === 'passed');
    return outcome;
  });
}

sandboxed(`a program passes when it runs to its end, and only then${why}`, async () => {
  expect(
    await outcomesOf([
      'assert 1 + 1 == 2',
      'assert 1 + 1 == 3, "sum"',
      'def broken(:',
      'import sys; sys.exit(0)',
      'import os; os._exit(0)',
      'print("passed")\nraise KeyboardInterrupt()',
      'import os; os.kill(os.getpid(), 9)',
    ]),
  ).toEqual([
    'passed',
    'failed: AssertionError: sum',
    'failed: SyntaxError: invalid syntax (<string>, line 1)',
    'failed: SystemExit: 0',
    'failed: it ended without finishing',
    'failed: KeyboardInterrupt: ',
    'failed: it ended without finishing',
  ]);
});

const probes = {
  'no network': `
import socket
try:
    socket.create_connection(("127.0.0.1", int(PORT)), 1)
except OSError:
    pass
else:
    raise SystemError("it reached the machine")`,
  'no files of the machine': `
import os
assert os.listdir("/tmp") == [] and os.getcwd() == "/tmp"
for path in (FOLDER, "/etc/passwd", "/root", "/home", "/var", "/work"):
    assert not os.path.exists(path), path`,
  'nothing to write but its own folder': `
open("/tmp/own", "w").write("x")
for path in ("/usr/x", "/usr/bin/x", "/proc/sys/kernel/hostname", "/x", "/dev/x"):
    try:
        open(path, "w").write("x")
    except OSError:
        continue
    raise SystemError(path)`,
  'no environment': `
import os
assert set(os.environ) <= {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PWD", "LC_CTYPE"}, set(os.environ)`,
  'no other processes': `
import os
assert [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) > 20] == []`,
  'no rights': `
import os
assert os.getuid() == 65534
try:
    os.setuid(0)
except OSError:
    pass
else:
    raise SystemError("it became root")`,
};

sandboxed(`a program finds ${Object.keys(probes).join(', ')}${why}`, async () => {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const programs = Object.values(probes).map(
    (probe) => `PORT = ${port}\nFOLDER = ${JSON.stringify(folder)}\n${probe}`,
  );
  expect(await outcomesOf(programs)).toEqual(programs.map(() => 'passed'));
  server.close();
});

sandboxed(`time, memory, disk and files are limited${why}`, async () => {
  const [loop, memory, disk, flood, files] = await outcomesOf(
    [
      'while True: pass',
      'x = bytearray(10 ** 9)',
      'f = open("/tmp/x", "wb")\nfor _ in range(100): f.write(bytes(10 ** 6))',
      'import os\nwhile True: os.write(1, b"x" * 65536)',
      'import os\nfor number in range(10 ** 7): os.mkdir("/tmp/%d" % number)',
    ],
    { timeout_seconds: 4 },
  );
  expect([loop, memory, flood, files]).toEqual([
    'timed out',
    'failed: MemoryError: ',
    'timed out',
    'failed: it wrote too many files',
  ]);
  expect(disk).toMatch(/^failed: (OSError|it ended)/);
});

sandboxed(`memory is limited for all processes and files together${why}`, async () => {
  const hold = (code: string) => `import os, time\n${code}\ntime.sleep(60)`;
  const filled = 'x = b"x" * (200 * 2 ** 20)';
  expect(
    await outcomesOf(
      [
        hold(`for _ in range(2):\n    if os.fork() == 0: break\n${filled}`),
        hold(
          `import mmap\nif os.fork() == 0: ${filled}\nelse: m = mmap.mmap(-1, 120 * 2 ** 20); [m.write(b"x" * 2 ** 20) for _ in range(120)]`,
        ),
        // Processes that share what they have read count it once.
        `${filled}\nimport os, time\nfor _ in range(4):\n    if os.fork() == 0: time.sleep(60)\ntime.sleep(1)`,
        'import os\nos.memfd_create("x")',
        'import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.shmget(0, 4096, 0o1666) == -1 and ctypes.get_errno() == 1',
      ],
      { memory_megabytes: 256, timeout_seconds: 10 },
    ),
  ).toEqual([
    'failed: it used more than 256 MB of memory',
    'failed: it used more than 256 MB of memory',
    'passed',
    'failed: PermissionError: [Errno 1] Operation not permitted',
    'passed',
  ]);
});

sandboxed(
  `as many processes and threads run as \`processes\` says, the program among them${why}`,
  async () => {
    const forked = (others: number) =>
      `import os, time\nfor _ in range(${others}):\n    if os.fork() == 0: time.sleep(60)`;
    const threaded = (others: number) =>
      `import threading, time\nfor _ in range(${others}): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()`;
    const refused = 'failed: BlockingIOError: [Errno 11] Resource temporarily unavailable';
    const noThread = "failed: RuntimeError: can't start new thread";
    for (const processes of [1, 3])
      expect(
        await outcomesOf(
          [forked(processes - 1), forked(processes), threaded(processes - 1), threaded(processes)],
          {
            processes,
          },
        ),
      ).toEqual(['passed', refused, 'passed', noThread]);
  },
);

sandboxed(`a program makes no namespaces and traces no process${why}`, async () => {
  const call = (code: string) => `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
assert libc.${code} == -1 and ctypes.get_errno() in (1, 38), ctypes.get_errno()`;
  const calls = [
    'unshare(0x10000000)',
    'syscall(CLONE, 0x10000000 | 17, 0, 0, 0, 0)'.replace('CLONE', process.arch === 'arm64' ? '220' : '56'),
    'syscall(435, 0, 0)',
    'mount(b"none", b"/tmp", b"tmpfs", 0, None)',
    'ptrace(16, 1, 0, 0)',
    'ptrace(16, 2, 0, 0)',
  ];
  expect(await outcomesOf(calls.map(call))).toEqual(calls.map(() => 'passed'));
});

sandboxed(`nothing that a program started is left when its time is over${why}`, async () => {
  const mark = `${Date.now()}`.slice(-9);
  const program = `
import subprocess
subprocess.Popen(["sleep", "${mark}"], start_new_session=True)
while True: pass`;
  expect(await outcomesOf([program], { timeout_seconds: 1 })).toEqual(['timed out']);
  expect(spawnSync('pgrep', ['-f', `sleep ${mark}`]).stdout.toString()).toBe('');
});

sandboxed(`tests that do not compile are an error about the data, not a failed answer${why}`, async () => {
  await expect(outcomesOf(['x = 1', 'y = 1'], { tests: 'def check(:' })).rejects.toMatchObject({
    code: 'invalid-tests',
    message: '2 of 2 records have tests that are no Python program',
    records: ['0', '1'].map((id) => ({
      id,
      problem: 'its tests: SyntaxError: invalid syntax (<tests>, line 1)',
    })),
  });
});

sandboxed(`an outcome is the same on every run${why}`, async () => {
  const programs = [
    'class A: pass\nraise Exception(A(), set("abcdefgh"))',
    'import sys; raise Exception(sys.argv)',
  ];
  const [first, second] = [await outcomesOf(programs), await outcomesOf(programs)];
  expect(second).toEqual(first);
  expect(first[1]).toBe("failed: Exception: ['-c']");
});

const problems = fileURLToPath(
  new URL('../../../../shared/data/humaneval/HumanEval.jsonl.gz', import.meta.url),
);

test.skipIf(lacks !== undefined || !existsSync(problems))(
  `HumanEval's own solutions pass and empty ones fail${why}${existsSync(problems) ? '' : ' (skipped: no ../shared/data)'}`,
  async () => {
    await using rig = await openStageRig();
    const rows = gunzipSync(readFileSync(problems))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((_, index) => index % 8 === 0);
    const answers = rows.flatMap(({ task_id: id, prompt, canonical_solution: solution, ...fields }) =>
      [solution, '    pass\n'].map((response, index) => ({
        id: `${id} ${index}`,
        prompt,
        expected: '',
        fields,
        response,
      })),
    );
    await rig.writeRecords('answers', answers);
    await rig.run(
      { run },
      {
        config: fillDefaults(executeStage.schema, {}),
        inputs: { responses: 'answers' },
        outputs: { responses: 'executed' },
      },
    );
    const passed = (await executedIn(rig)).map(({ passed }) => passed);
    expect(passed).toEqual(rows.flatMap(() => [true, false]));
  },
);
