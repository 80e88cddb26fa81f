import { didYouMean } from '../../core/index.ts';
import type { FilterConfig } from '../../generated/filter-config.ts';
import type { DataRecord } from '../../text/index.ts';
import { rowIn } from './row-text.ts';

/**
 * Finds fields of the rules that no record has. With a mistyped field `none_of` would keep every record, and `one_of` none,
 * without a word.
 */
export class UnseenFields {
  readonly #unseen: Set<string>;
  readonly #known = new Set<string>();

  constructor(rules: FilterConfig['rules']) {
    this.#unseen = new Set(rules.flatMap(({ field, fields = [] }) => [...fields, ...(field ? [field] : [])]));
  }

  see(record: DataRecord): void {
    if (this.#unseen.size === 0) return;
    for (const name of Object.keys(rowIn(record))) {
      this.#known.add(name);
      this.#unseen.delete(name);
    }
  }

  /** A warning for each; none where there was no record. */
  warnings(): readonly string[] {
    if (this.#known.size === 0) return [];
    return [...this.#unseen].map((name) => {
      const near = didYouMean(name, this.#known);
      return `no record has the field \`${name}\` of a rule${near === undefined ? '' : `; ${near}`}`;
    });
  }
}
