/** An answer without the header that the model wrote before it, and without white space around it. */
export const cleanAnswer = (text: string, header: string): string =>
  (header === '' ? text : text.replaceAll(header, '')).trim();
