import { hasNvidiaGpu, type NvidiaGpu, nvidiaGpus } from '../../tensor/index.ts';
import { formatBytes } from '../terminal/format-number.ts';
import type { Finding } from './finding.ts';

/** The GPUs that the tensorflow backend could compute on. */
export function lookAtGpu(): Finding {
  const subject = 'gpu';
  const gpus = nvidiaGpus();
  if (gpus.length > 0) return { subject, state: 'good', found: gpus.map(describeGpu).join('; ') };
  if (!hasNvidiaGpu()) return { subject, state: 'absent', found: 'no NVIDIA GPU: the processors compute' };
  return {
    subject,
    state: 'bad',
    found: "NVIDIA's driver is there, and nvidia-smi lists no GPU",
    help: 'run nvidia-smi: it says what is wrong, often a driver that was updated and wants a restart',
  };
}

/** `Tesla T4, 16.1 GB, driver 535.104.05` */
export const describeGpu = ({ name, memory, driver }: NvidiaGpu): string =>
  `${name}, ${formatBytes(memory)}, driver ${driver}`;
