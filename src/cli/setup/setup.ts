import { ExecaError } from 'execa';
import {
  cudaFolder,
  hasNvidiaGpu,
  nvidiaGpus,
  type TensorflowFlavor,
  tensorflowFolder,
} from '../../tensor/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { describeGpu } from '../doctor/machine.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type CudaSetup, installCuda } from './cuda/install-cuda.ts';
import { installTensorflow, type TensorflowInstallation } from './tensorflow/install.ts';

/** `tuneloom setup tensorflow` and `tuneloom setup cuda`: install an optional engine. */
export async function setupCommand({
  words,
  options,
  context,
}: CommandCall<SetupOptions>): Promise<ExitCode> {
  const [engine] = words;
  if (engine !== 'tensorflow' && engine !== 'cuda')
    throw new UsageError({
      message: engine === undefined ? 'name an engine' : `there is no engine \`${engine}\` to install`,
      help: '`tuneloom setup cuda` or `tuneloom setup tensorflow`',
    });
  if (engine === 'cuda') refuseOptions(options);
  const { terminal, environment } = context;
  const say = (line: string) => (options.json ? undefined : terminal.print(line));
  const { green, dim } = terminal.colors;
  using interruption = Interruption.listen({ terminal, notice: say });
  const { signal } = interruption;
  const progress = {
    begin: (step: string) => say(dim(`  ${step} ...`)),
    done: (step: string) => say(`${green('✔')} ${step}`),
    signal,
  };
  try {
    if (engine === 'cuda') {
      const program = process.argv[1] ?? '';
      reportCuda(await installCuda({ folder: cudaFolder(environment), program, environment, progress }), {
        terminal,
        options,
      });
    } else {
      const { flavor, reason } = chosenFlavor(options);
      say(dim(`  ${reason}`));
      const root = tensorflowFolder(environment);
      const request = { root, flavor, origin: options.from, environment, progress };
      reportTensorflow(await installTensorflow(request), { terminal, options });
    }
    return exitCode.success;
  } catch (error) {
    if (signal.aborted) return interruption.code;
    throw error instanceof ExecaError ? commandFailed(error) : error;
  }
}

/** Options of the other engine. */
function refuseOptions({ cuda, cpu, from }: SetupOptions): void {
  const given = [cuda && '--cuda', cpu && '--cpu', from && '--from'].filter((name) => name);
  if (given.length === 0) return;
  throw new UsageError({
    message: `${given.join(' and ')} ${given.length === 1 ? 'is' : 'are'} for \`tuneloom setup tensorflow\``,
    help: 'tuneloom setup cuda',
  });
}

interface SetupOptions extends JsonOption {
  readonly cuda?: boolean;
  readonly cpu?: boolean;
  readonly from?: 'storage' | 'pypi';
}

function chosenFlavor({ cuda, cpu }: SetupOptions): {
  readonly flavor: TensorflowFlavor;
  readonly reason: string;
} {
  if (cpu) return { flavor: 'cpu', reason: 'for the CPU, as requested' };
  if (cuda) return { flavor: 'cuda', reason: 'for NVIDIA GPUs, as requested' };
  const [gpu] = nvidiaGpus();
  if (gpu !== undefined) return { flavor: 'cuda', reason: `for the GPU: ${describeGpu(gpu)}` };
  return hasNvidiaGpu()
    ? { flavor: 'cuda', reason: "for a GPU: NVIDIA's driver is loaded" }
    : {
        flavor: 'cpu',
        reason: 'for the CPU: no NVIDIA GPU was found (--cuda installs for one anyway)',
      };
}

function reportCuda({ folder, engine, isNew }: CudaSetup, { terminal, options }: Reporting): void {
  if (options.json) terminal.print(JSON.stringify({ folder, new: isNew, engine }));
  else
    terminal.print(
      `${isNew ? 'Installed' : 'Already installed'}: ${engine}, in ${folder}\nUse it with: tuneloom run --backend cuda (the default now, because there is a GPU)`,
    );
}

interface Reporting {
  readonly terminal: Terminal;
  readonly options: SetupOptions;
}

function reportTensorflow(installation: TensorflowInstallation, { terminal, options }: Reporting): void {
  const { folder, origin, isNew, tensorflow, usesGpu } = installation;
  if (options.json) {
    terminal.print(JSON.stringify({ folder, origin, new: isNew, tensorflow, uses_gpu: usesGpu }));
    return;
  }
  const device = usesGpu ? 'on the GPU' : 'on the CPU';
  terminal.print(
    `${isNew ? 'Installed' : 'Already installed'}: TensorFlow ${tensorflow}, ${device}, in ${folder}\n` +
      `Use it with: tuneloom run --backend tensorflow${usesGpu ? ' (the default now, because there is a GPU)' : ''}`,
  );
}

const commandFailed = ({ command, stderr, shortMessage }: ExecaError): UsageError =>
  new UsageError({
    message: `a step failed and nothing was installed: ${shortMessage}`,
    help: String(stderr).trim().split('\n').slice(-8).join('\n') || command,
  });
