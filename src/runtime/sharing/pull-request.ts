type Environment = Readonly<Record<string, string | undefined>>;

const isSet = (value: string): boolean => value !== '' && value !== 'false';
const isPullRequest = (value: string): boolean => /^(pull_request|merge_request)/.test(value);

/** Variable -> whether its value says that the job tests a pull request, by the services that set it. */
const marks: Readonly<Record<string, (value: string) => boolean>> = {
  // GitHub, Gitea and Forgejo
  GITHUB_EVENT_NAME: isPullRequest,
  // GitLab
  CI_MERGE_REQUEST_IID: isSet,
  CI_EXTERNAL_PULL_REQUEST_IID: isSet,
  // Woodpecker
  CI_PIPELINE_EVENT: isPullRequest,
  // Azure Pipelines
  SYSTEM_PULLREQUEST_PULLREQUESTID: isSet,
  BITBUCKET_PR_ID: isSet,
  BUILDKITE_PULL_REQUEST: isSet,
  CIRCLE_PULL_REQUEST: isSet,
  CIRRUS_PR: isSet,
  DRONE_PULL_REQUEST: isSet,
  TRAVIS_PULL_REQUEST: isSet,
  APPVEYOR_PULL_REQUEST_NUMBER: isSet,
  // Jenkins
  CHANGE_ID: isSet,
};

/**
 * Whether this process may write to remotes: a job that tests a pull request runs code that nobody has agreed to, so that
 * it reads only. TUNELOOM_PUSH decides where it is set.
 */
export function pushPermission(
  environment: Environment,
): { readonly allowed: true } | { readonly allowed: false; readonly because: string } {
  const { TUNELOOM_PUSH: said } = environment;
  if (said === 'auto') return { allowed: true };
  if (said === 'never') return { allowed: false, because: 'TUNELOOM_PUSH is `never`' };
  const mark = Object.entries(marks).find(([name, says]) => says(environment[name] ?? ''))?.[0];
  if (mark === undefined) return { allowed: true };
  return {
    allowed: false,
    because: `this job tests a pull request (${mark} says so), and such jobs read only`,
  };
}
