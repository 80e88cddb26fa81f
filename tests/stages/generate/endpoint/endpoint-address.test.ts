import { expect, test } from 'vitest';
import { checkEndpoint } from '../../../../src/stages/generate/endpoint/check-endpoint.ts';
import { endpointAddress } from '../../../../src/stages/generate/endpoint/endpoint-address.ts';

test('the address is the configured one, else OPENAI_BASE_URL, else OpenAI itself', () => {
  const environment = { OPENAI_BASE_URL: 'http://localhost:1/v1' };
  expect([
    endpointAddress('http://localhost:2/v1', environment).href,
    endpointAddress(undefined, environment).href,
    endpointAddress(undefined, { OPENAI_BASE_URL: '' }).href,
  ]).toEqual(['http://localhost:2/v1', 'http://localhost:1/v1', 'https://api.openai.com/v1']);
});

test.each([
  'http://me:hunter2@localhost/v1',
  'http://hunter2@localhost/v1',
  'http://localhost/v1?key=hunter2',
])('an address with a secret (%s) is refused and not repeated', (address) => {
  const problem = {
    code: 'endpoint-address-with-secret',
    help: 'give the key in the environment variable OPENAI_API_KEY instead',
  };
  const rest = 'carries a user name, a password, a query or a fragment, which would be stored with the run';
  expect(() => endpointAddress(undefined, { OPENAI_BASE_URL: address })).toThrow(
    expect.objectContaining({ ...problem, message: `the environment variable OPENAI_BASE_URL ${rest}` }),
  );
  expect(checkEndpoint(configOf(address))).toEqual([
    { ...problem, pointer: '/endpoint/base_url', message: `\`base_url\` ${rest}` },
  ]);
});

test.each(['localhost:11434', 'file:///tmp', 'nonsense'])('%s is not an address', (address) => {
  expect(checkEndpoint(configOf(address))).toEqual([
    {
      pointer: '/endpoint/base_url',
      code: 'bad-endpoint-address',
      message: '`base_url` is not an address that begins with http:// or https://',
      help: 'write it like http://localhost:11434/v1',
    },
  ]);
});

test('a plain address, or none, has nothing wrong', () => {
  expect([checkEndpoint(configOf('https://localhost/v1')), checkEndpoint(configOf(undefined))]).toEqual([
    [],
    [],
  ]);
});

function configOf(address: string | undefined): Parameters<typeof checkEndpoint>[0] {
  return {
    mode: 'text',
    max_new_tokens: 1,
    start: 'prompt',
    temperature: 0,
    top_p: 1,
    seed: 0,
    samples: 1,
    stop: [],
    min_p: 0,
    repetition_penalty: 1,
    stop_tokens: [],
    clean: true,
    batch_size: 1,
    precision: 'float32',
    too_long: 'refuse',
    endpoint: {
      ...(address === undefined ? {} : { base_url: address }),
      concurrency: 1,
      timeout_seconds: 1,
      retries: 0,
    },
  };
}
