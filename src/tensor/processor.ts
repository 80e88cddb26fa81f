import { readFileSync } from 'node:fs';
import { arch } from 'node:os';

/** The widest of this processor's vector instructions that numeric kernels select by; else its architecture. */
export function instructionSet(): string {
  const flags = processorFlags();
  const widest = ['amx_tile', 'avx512f', 'avx2', 'avx', 'asimddp', 'asimd'].find((name) => flags.has(name));
  return widest ?? arch();
}

/** Whether the processor multiplies numbers in bfloat16. */
export function multipliesBfloat16(): boolean {
  const flags = processorFlags();
  return ['avx512_bf16', 'amx_bf16'].some((name) => flags.has(name));
}

function processorFlags(): ReadonlySet<string> {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set(line?.[1]?.split(' '));
  } catch {
    return new Set(); // only Linux has this file
  }
}
