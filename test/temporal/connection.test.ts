import { createServer } from 'node:net';
import { freePorts } from '../../lab/ports.js';
import { InputError, RefusedError } from '../../src/errors.js';
import { connectTemporal } from '../../src/temporal/connection.js';
import { findTemporal, uiLink } from '../../src/temporal/target.js';
import { sharedTemporal } from '../support/temporal.js';

const nowhere = {
  MUSTER_LAB: '/nonexistent/muster-lab',
  MUSTER_HOME: '/nonexistent/muster-home',
  MUSTER_PAYLOAD_ENCRYPTION: 'off',
  TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
};

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('the environment names the server and the namespace', async () => {
  const target = await findTemporal({
    ...nowhere,
    TEMPORAL_ADDRESS: '127.0.0.1:9',
    TEMPORAL_NAMESPACE: 'recovery',
    MUSTER_TEMPORAL_UI: 'http://127.0.0.1:8/',
  });
  expect(target).toMatchObject({ address: '127.0.0.1:9', namespace: 'recovery', namedBy: 'environment' });
  expect(uiLink(target, 'payymo.real', 'r1')).toBe(
    'http://127.0.0.1:8/namespaces/recovery/workflows/payymo.real/r1',
  );
});

test('nothing that names a server is bad input that says what would', async () => {
  const error = await failureOf(findTemporal(nowhere));
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).problems[0]?.field).toBe('TEMPORAL_ADDRESS');
  expect((error as InputError).problems[0]?.allowed).toContain('muster lab up');
});

test('a port on which nobody listens is told within a few seconds, with the address and what to do', async () => {
  const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
  const begun = Date.now();
  const error = await failureOf(
    findTemporal({ ...nowhere, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }).then(connectTemporal),
  );
  expect(Date.now() - begun).toBeLessThan(5_000);
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ code: 'TemporalUnreachable' });
  expect((error as RefusedError).message).toContain(`127.0.0.1:${port}`);
  expect((error as RefusedError).next).toContain('TEMPORAL_ADDRESS');
});

test('a server that accepts and never answers is told just as fast', async () => {
  const sockets = new Set<import('node:net').Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const begun = Date.now();
  const error = await failureOf(
    findTemporal({ ...nowhere, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }).then(connectTemporal),
  );
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  expect(Date.now() - begun).toBeLessThan(5_000);
  expect(error).toMatchObject({ code: 'TemporalUnreachable' });
});

test('a namespace that is not there is told as such', async () => {
  const { address } = await sharedTemporal();
  const target = await findTemporal({ ...nowhere, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'no-such' });
  expect(await failureOf(connectTemporal(target))).toMatchObject({ code: 'NamespaceMissing' });
});
