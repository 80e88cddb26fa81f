import type { JsonObject } from '../../json.ts';
import { nearName } from '../../text/near-name.ts';
import { fieldsIn } from '../../text/template/row-field.ts';
import { UserError } from '../../user-error.ts';

/** The fields that a configuration gives new names and that no row has had so far: at the end they are mistakes. */
export class UnseenFields {
  readonly #unseen: Set<string>;
  #lastRow: JsonObject = {};

  /** Our names -> the data's. */
  constructor(fields: Readonly<Record<string, string>>) {
    this.#unseen = new Set(Object.values(fields));
  }

  see(row: JsonObject): void {
    this.#lastRow = row;
    for (const name of this.#unseen) if (Object.hasOwn(row, name)) this.#unseen.delete(name);
  }

  throwIfAny(path: string): void {
    const [name] = this.#unseen;
    if (name === undefined) return;
    const near = nearName(name, Object.keys(this.#lastRow));
    throw new UserError({
      code: 'unknown-field',
      message: `no row of ${path} has the field \`${name}\`, which \`fields\` gives another name`,
      help: near === undefined ? `the last row has ${fieldsIn(this.#lastRow)}` : `did you mean \`${near}\`?`,
    });
  }
}
