import packageJson from '../../package.json' with { type: 'json' };

/** The version of tuneloom that is running. */
export const programVersion = (): string => packageJson.version;
