/** The schemes of remotes' addresses. */
const remoteSchemes: readonly string[] = ['file', 'https', 'http', 's3', 'hf'];

/** The scheme of an address such as `s3://bucket` or `hf:owner/name`, in lowercase; undefined for a path. */
export function schemeOf(text: string): string | undefined {
  const [, name, slashes] = /^([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(text) ?? [];
  const scheme = name?.toLowerCase();
  return scheme !== undefined && (slashes !== undefined || remoteSchemes.includes(scheme))
    ? scheme
    : undefined;
}
