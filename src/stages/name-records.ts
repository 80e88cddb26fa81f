const shown = 10;

/** The ids of the first records and the number of the others: `a, b and 3 more`. */
export function nameRecords(records: readonly { readonly id: string }[]): string {
  const names = records.slice(0, shown).map(({ id }) => id);
  return names.join(', ') + (records.length > shown ? ` and ${records.length - shown} more` : '');
}
