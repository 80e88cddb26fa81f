import { resolve } from 'node:path';
import { UserError } from '../../core/index.ts';
import { type FollowingTool, LiveTensorboard, Mlflow, mlflowServer } from '../../tracking/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';

export const toolNames = ['tensorboard', 'mlflow'] as const;
export type ToolName = (typeof toolNames)[number];

/** Where a tool's data go if nothing says so: TensorBoard's folder, beside which nothing else is written. */
const TENSORBOARD_FOLDER = 'tensorboard';

/** The folder of TensorBoard's files. */
export const tensorboardFolder = (to: string | undefined, { workingDirectory }: CommandContext): string =>
  resolve(workingDirectory, to || TENSORBOARD_FOLDER);

/** The MLflow server at an address, or at the one that MLFLOW_TRACKING_URI names. */
export function openMlflow(
  to: string | undefined,
  { environment }: CommandContext,
  experiment?: string,
): Mlflow {
  const address = to || environment.MLFLOW_TRACKING_URI;
  if (!address)
    throw new UsageError({
      message: 'the address of the MLflow server is missing',
      help: 'give it, as http://localhost:5000, or set MLFLOW_TRACKING_URI',
    });
  try {
    return new Mlflow(mlflowServer(address, environment), experiment);
  } catch (error) {
    if (error instanceof UserError) throw new UsageError({ message: error.message, help: error.help });
    throw error;
  }
}

/** Reads `--track tensorboard=runs` and `--track mlflow=http://localhost:5000`; the part after `=` may be left out. */
export function followingTools(given: readonly string[], context: CommandContext): readonly FollowingTool[] {
  return given.map((text) => {
    const [, word = '', to] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    const name = toolNames.find((known) => known === word);
    const target = to ? ` --to ${to}` : '';
    switch (name) {
      case 'tensorboard':
        return {
          name: 'TensorBoard',
          tool: new LiveTensorboard(tensorboardFolder(to, context)),
          later: (run) => `tuneloom track tensorboard ${run}${target}`,
        };
      case 'mlflow':
        return {
          name: 'MLflow',
          tool: openMlflow(to, context),
          later: (run) => `tuneloom track mlflow ${run}${target}`,
        };
      case undefined:
        throw new UsageError({
          message: `--track \`${text}\` names no tool that is known`,
          help: 'write tensorboard=FOLDER or mlflow=ADDRESS',
        });
      default:
        return name satisfies never;
    }
  });
}
