import { didYouMean } from '../../core/index.ts';
import { fewOf } from '../../runtime/index.ts';
import { stageRegistry } from '../../stages/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';

/** `tuneloom schema`: prints the JSON Schema of pipeline files, of settings or of one stage's `with`. */
export async function schemaCommand({ words, context }: CommandCall<JsonOption>): Promise<ExitCode> {
  const [stage] = words;
  const schema = await (stage === undefined
    ? pipelineSchema()
    : stage === 'settings'
      ? settingsSchema()
      : schemaOf(stage));
  context.terminal.print(JSON.stringify(schema, null, 2));
  return exitCode.success;
}

function schemaOf(stage: string): object {
  const definition = stageRegistry.get(stage);
  if (definition) return definition.schema;
  const names = [...stageRegistry.keys()];
  const near = didYouMean(stage, [...names, 'settings']);
  throw new UsageError({
    message: `there is no stage called \`${stage}\``,
    help: near ?? `the stages are ${fewOf(names, 'and')}; \`settings\` stands for settings files`,
  });
}

/** The JSON Schema of settings files, bundled with the command. */
export async function settingsSchema(): Promise<object> {
  const { default: schema } = await import('../../../schemas/settings.schema.json', {
    with: { type: 'json' },
  });
  return schema;
}

/** The JSON Schema of pipeline files, bundled with the command. */
export async function pipelineSchema(): Promise<object> {
  const { default: schema } = await import('../../../schemas/pipeline.schema.json', {
    with: { type: 'json' },
  });
  return schema;
}
