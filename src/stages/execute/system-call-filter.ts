import { UserError } from '../../core/index.ts';

/**
 * The filter of system calls of a sandbox, a classic BPF program for seccomp (Linux's `struct sock_filter`: code, two
 * jumps, a constant). It refuses what could make namespaces and mounts, read other processes, reach rarely used parts
 * of the kernel, or hold memory that belongs to no process: anonymous files, System V memory, queues, sockets of a network.
 */
export function systemCallFilter(architecture: string = process.arch): Buffer {
  const column = architecture === 'x64' ? 0 : architecture === 'arm64' ? 1 : undefined;
  if (column === undefined)
    throw new UserError({
      code: 'no-sandbox',
      message: `there is no sandbox for processors of the kind ${architecture}`,
      help: 'answers that are programs run on x86-64 and arm64',
    });
  const refused = Object.values(refusedCalls).flatMap((numbers) => numbers[column] ?? []);
  const program = [
    load(offsets.architecture),
    equal(architectures[column], { otherwise: kill }),
    load(offsets.number),
    // The x32 calls of x86-64, which have numbers of their own.
    ...(column === 0 ? [atLeast(0x40000000, { matching: kill })] : []),
    // Without clone3, whose flags a filter cannot read, the C library falls back to clone.
    equal(clone3, { matching: noSuchCall }),
    ...refused.map((number) => equal(number, { matching: refuse })),
    equal(clone[column], { matching: checkFlags }),
    equal(socket[column], { matching: checkFamily, otherwise: allow }),
  ];
  return assemble(program);
}

/** Numbers on x86-64 and arm64 (asm/unistd_64.h, asm-generic/unistd.h); undefined where the call does not exist. */
const refusedCalls: Readonly<Record<string, readonly [number | undefined, number | undefined]>> = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  msgget: [68, 186],
  semget: [64, 190],
  mq_open: [240, 180],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  open_by_handle_at: [304, 265],
};
const clone = [56, 220] as const;
const clone3 = 435;
const socket = [41, 198] as const;
const unixSockets = 1;
/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. */
const architectures = [0xc000003e, 0xc00000b7] as const;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const newNamespaces = 0x7e020000;

/** In `struct seccomp_data`, little-endian: the call's number, the architecture, the first argument. */
const offsets = { number: 0, architecture: 4, firstArgument: 16 } as const;

type Ending = 'allow' | 'refuse' | 'no such call' | 'kill' | 'check flags' | 'check family';
const [allow, refuse, noSuchCall, kill, checkFlags, checkFamily] = [
  'allow',
  'refuse',
  'no such call',
  'kill',
  'check flags',
  'check family',
] as const;

interface Instruction {
  readonly code: number;
  readonly constant: number;
  readonly matching?: Ending;
  readonly otherwise?: Ending;
}

type Jumps = Pick<Instruction, 'matching' | 'otherwise'>;

const load = (offset: number): Instruction => ({ code: 0x20, constant: offset });
const equal = (constant: number, jumps: Jumps): Instruction => ({ code: 0x15, constant, ...jumps });
const atLeast = (constant: number, jumps: Jumps): Instruction => ({ code: 0x35, constant, ...jumps });
const anyBitOf = (constant: number, jumps: Jumps): Instruction => ({ code: 0x45, constant, ...jumps });
const answer = (constant: number): Instruction => ({ code: 0x06, constant });

const [eperm, enosys] = [1, 38];

/** The blocks to which instructions jump, which follow the program. SECCOMP_RET_ERRNO is 0x00050000. */
const endings: Readonly<Record<Ending, readonly Instruction[]>> = {
  'check flags': [
    load(offsets.firstArgument),
    anyBitOf(newNamespaces, { matching: refuse, otherwise: allow }),
  ],
  'check family': [load(offsets.firstArgument), equal(unixSockets, { matching: allow, otherwise: refuse })],
  allow: [answer(0x7fff0000)],
  refuse: [answer(0x00050000 | eperm)],
  'no such call': [answer(0x00050000 | enosys)],
  kill: [answer(0x80000000)],
};

function assemble(program: readonly Instruction[]): Buffer {
  const places = new Map<Ending, number>();
  const all = [...program];
  for (const [name, block] of Object.entries(endings) as [Ending, readonly Instruction[]][]) {
    // its keys are endings
    places.set(name, all.length);
    all.push(...block);
  }
  const bytes = Buffer.alloc(8 * all.length);
  for (const [index, { code, constant, matching, otherwise }] of all.entries()) {
    const jump = (ending: Ending | undefined) =>
      ending === undefined ? 0 : (places.get(ending) ?? 0) - index - 1;
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(jump(matching), 8 * index + 2);
    bytes.writeUInt8(jump(otherwise), 8 * index + 3);
    bytes.writeUInt32LE(constant, 8 * index + 4);
  }
  return bytes;
}
