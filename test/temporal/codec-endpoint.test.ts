/** The endpoint that decrypts payloads for Temporal's UI and command line, over real HTTP. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { keepCodecEndpoint } from '../../src/codec-endpoint/keep.js';
import { type CodecEndpoint, startCodecEndpoint } from '../../src/codec-endpoint/server.js';
import { codecEndpointSettings } from '../../src/codec-endpoint/settings.js';
import { InputError } from '../../src/errors.js';
import { freePorts } from '../../src/ports.js';
import { EncryptingCodec } from '../../src/temporal/codec.js';
import { payloadKey } from '../../src/temporal/codec-keys.js';
import { eventually } from '../support/eventually.js';

const codec = new EncryptingCodec([payloadKey(randomBytes(32))]);
const UI = 'http://127.0.0.1:8233';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const clear = { payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64('"the secret"') }] };
const open: CodecEndpoint[] = [];

async function start(more: { readonly token?: string } = {}): Promise<string> {
  const endpoint = await startCodecEndpoint({ host: '127.0.0.1', port: 0, origins: [UI], ...more }, codec);
  open.push(endpoint);
  return endpoint.url;
}
afterAll(() => Promise.all(open.map((endpoint) => endpoint.close())));

function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

it('encodes and decodes in the form of the remote codec protocol', async () => {
  const url = await start();
  const encoded = (await (await post(`${url}/encode`, clear)).json()) as typeof clear;
  expect(encoded.payloads[0]?.metadata.encoding).toBe(base64('binary/encrypted'));
  expect(Buffer.from(encoded.payloads[0]?.data ?? '', 'base64').includes('secret')).toBe(false);
  expect(await (await post(`${url}/decode`, encoded)).json()).toEqual(clear);
  expect(await (await post(`${url}/decode`, clear)).json()).toEqual(clear);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
});

it("answers the UI's page in a browser, and no other", async () => {
  const url = await start();
  const asked = { method: 'OPTIONS', headers: { origin: UI, 'access-control-request-method': 'POST' } };
  const preflight = await fetch(`${url}/decode`, asked);
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(UI);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
  for (const origin of ['http://evil.example', 'http://127.0.0.1:8234', 'null', `${UI}.evil.example`]) {
    const refused = await post(`${url}/decode`, clear, { origin });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refused.text()).not.toContain(clear.payloads[0]?.data);
  }
  expect((await post(`${url}/decode`, clear, { origin: UI })).status).toBe(200);
});

it('asks for the token where one is configured', async () => {
  const url = await start({ token: 'let-me-in' });
  for (const authorization of [undefined, 'Bearer wrong', 'let-me-in']) {
    const headers = authorization === undefined ? {} : { authorization };
    expect((await post(`${url}/decode`, clear, headers)).status).toBe(401);
  }
  expect((await post(`${url}/decode`, clear, { authorization: 'Bearer let-me-in' })).status).toBe(200);
});

it.each([
  ['no JSON', '{', 'not JSON'],
  ['another shape', { payloads: [{ data: 7 }] }, 'payloads.0.data'],
  ['no Base64', { payloads: [{ data: '§' }] }, 'Base64'],
])('answers %s with what is wrong', async (_, body, expected) => {
  const answer = await post(`${await start()}/decode`, body);
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toContain(expected);
});

it('says which key is missing', async () => {
  const [foreign] = await new EncryptingCodec([payloadKey(randomBytes(32))]).encode([
    { data: Buffer.from('x') },
  ]);
  const text = (value: Uint8Array | null | undefined) => Buffer.from(value ?? []).toString('base64');
  const metadata = Object.fromEntries(
    Object.entries(foreign?.metadata ?? {}).map(([name, value]) => [name, text(value)]),
  );
  const answer = await post(`${await start()}/decode`, {
    payloads: [{ metadata, data: text(foreign?.data) }],
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'PayloadKeyMissing' });
});

it('knows its routes and no more', async () => {
  const url = await start();
  expect((await post(`${url}/other`, clear)).status).toBe(404);
  expect((await fetch(`${url}/decode`)).status).toBe(405);
});

it('listens on loopback unless told otherwise, and tells settings that cannot be used', async () => {
  expect(await codecEndpointSettings({})).toBeUndefined();
  expect(
    await codecEndpointSettings({ MUSTER_CODEC_PORT: '8234', MUSTER_TEMPORAL_UI: 'http://127.0.0.1:8233/x' }),
  ).toEqual({ host: '127.0.0.1', port: 8234, origins: [UI, 'http://localhost:8233'] });
  for (const [name, value] of [
    ['MUSTER_CODEC_PORT', '99999'],
    ['MUSTER_CODEC_HOST', 'example.org'],
    ['MUSTER_CODEC_ORIGINS', '*'],
    ['MUSTER_CODEC_ORIGINS', 'http://127.0.0.1:8233/path'],
  ] as const) {
    const error = await codecEndpointSettings({ MUSTER_CODEC_PORT: '8234', [name]: value }).catch((e) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).problems[0]).toMatchObject({ field: name, given: value });
  }
});

it('of two workers the second one takes over when the first has gone', async () => {
  const { codec: port } = await freePorts({ codec: { addresses: ['127.0.0.1'] } });
  const env = { MUSTER_CODEC_PORT: String(port) };
  const silent = pino({ level: 'silent' });
  const first = await keepCodecEndpoint(env, codec, silent);
  const second = await keepCodecEndpoint(env, codec, silent);
  const healthy = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;
  expect(await healthy()).toBe(200);
  await first.close();
  expect(await eventually(healthy)).toBe(200);
  await second.close();
  await expect(healthy()).rejects.toThrow('fetch failed');
});
