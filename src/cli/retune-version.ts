import packageJson from '../../package.json' with { type: 'json' };

/** The version of retune that is running. */
export const retuneVersion = (): string => packageJson.version;
