import { existsSync } from 'node:fs';

/** Whether the driver of an NVIDIA GPU is loaded; /dev/dxg is what stands for it inside Windows' Linux. */
export const hasNvidiaDriver = (): boolean =>
  existsSync('/proc/driver/nvidia/version') || existsSync('/dev/dxg');
