import { readFileSync } from 'node:fs';
import { arch } from 'node:os';

/** The widest vector instructions of this processor that numeric kernels choose by; the architecture elsewhere. */
export function instructionSet(): string {
  const flags = processorFlags();
  const widest = ['amx_tile', 'avx512f', 'avx2', 'avx', 'asimddp', 'asimd'].find((name) => flags.has(name));
  return widest ?? arch();
}

function processorFlags(): ReadonlySet<string> {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set(line?.[1]?.split(' '));
  } catch {
    return new Set(); // only Linux has this file
  }
}
