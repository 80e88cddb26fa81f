import { openSandbox } from '../../stages/execute/sandbox/open-sandbox.ts';
import { UserError } from '../../user-error.ts';
import type { Finding } from './finding.ts';

/** Whether `execute` could run programs that a model wrote. */
export async function lookAtSandbox(): Promise<Finding> {
  const subject = 'sandbox';
  try {
    const limits = { python: 'python3', timeoutSeconds: 3, memoryMegabytes: 256, processes: 4 };
    const { pythonVersion } = await openSandbox(limits);
    return { subject, state: 'good', found: `bubblewrap, Python ${pythonVersion}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message: found, help } = error;
    return { subject, state: 'absent', found, ...(help === undefined ? {} : { help }) };
  }
}
