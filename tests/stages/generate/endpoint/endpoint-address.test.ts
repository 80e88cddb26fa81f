import { expect, test } from 'vitest';
import { endpointAddress } from '../../../../src/stages/generate/endpoint/endpoint-address.ts';
import { checkEndpoint } from '../../../../src/stages/generate/generate-stage.ts';
import { generateDefaults } from '../generate-defaults.ts';

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

const configOf = (address: string | undefined) =>
  generateDefaults({ endpoint: address === undefined ? {} : { base_url: address } });
