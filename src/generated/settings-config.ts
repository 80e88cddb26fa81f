// Generated from schemas/settings.schema.json.

/**
 * Where results are kept and shared, whose results count, and where stages run. Nothing here is ever in a key: a change runs nothing again.
 */
export interface SettingsConfig {
  /**
   * The folder that results are written to, from the project's folder. By default `artifacts`.
   */
  readonly store?: string;
  /**
   * Stores of others that results are also read from, in order: folders that every machine of a team sees. Nothing is ever written there.
   */
  readonly readonly_stores?: string[];
  /**
   * Stores elsewhere that a run looks for results in, by name, in order.
   */
  readonly remotes?: {
    /**
     * A store elsewhere.
     */
    readonly [k: string]: {
      /**
       * Its address: a folder's path, `https://`, `s3://bucket/prefix` or `hf:datasets/owner/name`.
       */
      readonly url: string;
      /**
       * Whether a run sends its new results there when it has ended. `tuneloom push` sends them at any time.
       */
      readonly push: 'auto' | 'never';
      /**
       * What it asks for: a bearer token, or the password of `username`. It is the name of an environment variable.
       */
      readonly token?: string;
      /**
       * For `https:`: the user whose password is the token.
       */
      readonly username?: string;
      /**
       * For `s3:`: the address of a service that is not AWS's, such as MinIO, R2 or Google Cloud Storage.
       */
      readonly endpoint?: string;
      /**
       * For `s3:`: the region of the bucket, by default that of AWS's own settings.
       */
      readonly region?: string;
      /**
       * For `s3:`: the profile of AWS's own settings whose credentials are used.
       */
      readonly profile?: string;
      /**
       * How long it may take to answer before the run goes on without it, in seconds or with a unit.
       */
      readonly timeout: string | number;
    };
  };
  /**
   * Whose results count. A result from a remote is used only if one of these keys signed it.
   */
  readonly trust?: {
    /**
     * Public keys, as `tuneloom key` prints them; what follows a key is a note for people. Your own key always counts.
     */
    readonly keys?: string[];
  };
  /**
   * Machines and clusters that stages can run on, by name.
   */
  readonly executors?: {
    /**
     * A machine over ssh, or a Slurm cluster.
     */
    readonly [k: string]: {
      /**
       * How its stages are started.
       */
      readonly kind: 'ssh' | 'slurm';
      /**
       * For ssh: the host, as ssh takes it.
       */
      readonly host?: string;
      /**
       * For slurm: the host with `sbatch`, as ssh takes it; by default this machine.
       */
      readonly over?: string;
      /**
       * For ssh and for slurm over ssh: how tuneloom is started there, of the same version as here.
       */
      readonly program: string;
      /**
       * Further options of `ssh`; a `Host` in ~/.ssh/config does the same.
       */
      readonly ssh_options?: string[];
      /**
       * How long a lost ssh connection is tried again, in seconds or with a unit. The stages there go on meanwhile.
       */
      readonly patience: string | number;
      /**
       * How many stages may run there at once; by default one over ssh, and for slurm as many as there are.
       */
      readonly jobs?: number;
      /**
       * For slurm: the partition of its jobs.
       */
      readonly partition?: string;
      /**
       * For slurm: the account that its jobs are charged to.
       */
      readonly account?: string;
      /**
       * For slurm: the quality of service of its jobs.
       */
      readonly qos?: string;
      /**
       * For slurm: further options of `sbatch`, which win over a stage's `resources`.
       */
      readonly options?: string[];
      /**
       * For slurm: lines of shell that a job runs before its stage.
       */
      readonly setup?: string;
      /**
       * For slurm: how often the scheduler is asked about jobs. A stage's progress and end are seen at once.
       */
      readonly poll: string | number;
      /**
       * The store's folder there; for slurm by default the project's own, on a disk that both see.
       */
      readonly store?: string;
    };
  };
  /**
   * Where stages run: the name of an executor, or a map of stages to names. By default this machine, `local`.
   */
  readonly executor?:
    | string
    | {
        readonly [k: string]: string;
      };
}
