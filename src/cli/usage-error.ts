/** A command line that cannot be carried out; ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly help: string | undefined;

  constructor({ message, help }: { message: string; help?: string | undefined }) {
    super(message);
    this.help = help;
  }
}
