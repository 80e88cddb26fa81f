import { makeSigningKey, ownSigningKey, signingKeyPath, signingKeyVariable } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { safeLine } from '../terminal/safe-text.ts';

export interface KeyOptions extends JsonOption {
  readonly new?: boolean;
}

/** `tuneloom key`: shows the public half of the key that signs what this person pushes, and makes the key if need be. */
export async function keyCommand({ options, context }: CommandCall<KeyOptions>): Promise<ExitCode> {
  const { terminal, environment } = context;
  if (options.new) {
    const { secret, publicKey } = makeSigningKey();
    terminal.print(
      options.json
        ? JSON.stringify({ public_key: publicKey, secret })
        : [
            `secret      ${secret}`,
            `public key  ${publicKey}`,
            '',
            `Give the secret to a job as ${signingKeyVariable}. It is kept nowhere else.`,
            ...trustText(publicKey),
          ].join('\n'),
    );
    return exitCode.success;
  }
  const { publicKey } = await ownSigningKey(environment);
  const from = environment[signingKeyVariable] ? signingKeyVariable : signingKeyPath(environment);
  terminal.print(
    options.json
      ? JSON.stringify({ public_key: publicKey, from })
      : [`public key  ${publicKey}`, `secret      in ${safeLine(from)}`, '', ...trustText(publicKey)].join(
          '\n',
        ),
  );
  return exitCode.success;
}

const trustText = (publicKey: string): readonly string[] => [
  'Whose settings name the public key use what it signs. In .tuneloom/settings.yaml:',
  '  trust:',
  '    keys:',
  `      - ${publicKey}`,
];
