import { UserError } from '../../../core/index.ts';

const openai = 'https://api.openai.com/v1';

interface AddressProblem {
  readonly code: string;
  /** Continues a sentence that begins with the name of the address. */
  readonly message: string;
  readonly help: string;
}

/** The address of an endpoint, from the configuration or else the environment. It holds no secret, so it can be shown. */
export function endpointAddress(configured: string | undefined, environment: NodeJS.ProcessEnv): URL {
  const given = configured ?? (environment.OPENAI_BASE_URL || openai);
  const problem = addressProblem(given);
  if (problem === undefined) return new URL(given);
  const name = configured === undefined ? 'the environment variable OPENAI_BASE_URL' : '`endpoint.base_url`';
  throw new UserError({ ...problem, message: `${name} ${problem.message}` });
}

/** Why a text cannot be an endpoint's address. It may contain a password, so the message does not repeat it. */
export function addressProblem(text: string): AddressProblem | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password || url?.search || url?.hash)
    return {
      code: 'endpoint-address-with-secret',
      message: 'carries a user name, a password, a query or a fragment, which would be stored with the run',
      help: 'give the key in the environment variable OPENAI_API_KEY instead',
    };
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return undefined;
  return {
    code: 'bad-endpoint-address',
    message: 'is not an address that begins with http:// or https://',
    help: 'write it like http://localhost:11434/v1',
  };
}

export const isOpenai = (address: URL): boolean => address.host === new URL(openai).host;
