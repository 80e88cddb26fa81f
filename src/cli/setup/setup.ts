import { ExecaError } from 'execa';
import { hasNvidiaGpu, nvidiaGpus, type TensorflowFlavor, tensorflowFolder } from '../../tensor/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { describeGpu } from '../doctor/machine.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { installTensorflow, type TensorflowInstallation } from './tensorflow/install.ts';

/** `tuneloom setup tensorflow`: installs an optional engine. */
export async function setupCommand({
  words,
  options,
  context,
}: CommandCall<SetupOptions>): Promise<ExitCode> {
  const [engine] = words;
  if (engine !== 'tensorflow')
    throw new UsageError({
      message: engine === undefined ? 'name an engine' : `there is no engine \`${engine}\` to install`,
      help: 'tuneloom setup tensorflow',
    });
  const { terminal, environment } = context;
  const say = (line: string) => (options.json ? undefined : terminal.print(line));
  const { green, dim } = terminal.colors;
  using interruption = Interruption.listen({ terminal, notice: say });
  const { signal } = interruption;
  const { flavor, reason } = chosenFlavor(options);
  say(dim(`  ${reason}`));
  try {
    const installation = await installTensorflow({
      root: tensorflowFolder(environment),
      flavor,
      origin: options.from,
      environment,
      progress: {
        begin: (step) => say(dim(`  ${step} ...`)),
        done: (step) => say(`${green('✔')} ${step}`),
        signal,
      },
    });
    report(installation, { terminal, options });
    return exitCode.success;
  } catch (error) {
    if (signal.aborted) return interruption.code;
    throw error instanceof ExecaError ? commandFailed(error) : error;
  }
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

function report(
  installation: TensorflowInstallation,
  { terminal, options }: { readonly terminal: Terminal; readonly options: SetupOptions },
): void {
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
