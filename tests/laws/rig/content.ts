/** A file's bytes as Latin-1, the files of a folder by their paths, or the bytes of each part. */
export interface Content {
  readonly file?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly parts?: Readonly<Record<string, string>>;
}

export type Outputs = Readonly<Record<string, Content>>;

/** A text made of each part, or of the file where there are no parts. */
export function eachFile({ file = '', parts }: Content, make: (text: string) => string): Content {
  const made = (bytes: string): string =>
    Buffer.from(make(Buffer.from(bytes, 'latin1').toString('utf8'))).toString('latin1');
  if (parts === undefined) return { file: made(file) };
  return { parts: Object.fromEntries(Object.entries(parts).map(([part, text]) => [part, made(text)])) };
}
