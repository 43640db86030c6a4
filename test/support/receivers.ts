/** Receivers of notices, real ones on loopback: an HTTP server that answers as it is told, and a mail server. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Notice, Receiver } from '../../src/model/notice.js';
import type { Channel } from '../../src/runbook/schema.js';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = number | ((response: ServerResponse) => void);

export interface HttpReceiver {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** What is answered next, in order; 200 once there is nothing left. */
  readonly answers: Answer[];
  close(): Promise<void>;
}

/** @param port 0: any that is free */
export async function httpReceiver(port = 0): Promise<HttpReceiver> {
  const received: Received[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      const answer = answers.shift() ?? 200;
      if (typeof answer === 'function') answer(response);
      else response.writeHead(answer).end('ok');
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    received,
    answers,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface MailReceiver {
  readonly port: number;
  readonly mails: Mail[];
  close(): Promise<void>;
}

/** Takes mail from `muster` with the password `right`; refuses the recipient `gone@example.com`. */
export async function mailReceiver(options: SMTPServerOptions): Promise<MailReceiver> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...options,
    onAuth: ({ username, password }, _session, done) => {
      if (username === 'muster' && password === 'right') done(null, { user: username });
      else done(new Error(`Invalid username or password ${password}`));
    },
    onRcptTo: ({ address }, _session, done) =>
      address === 'gone@example.com'
        ? done(Object.assign(new Error('no such user'), { responseCode: 550 }))
        : done(),
    onData: (stream, session, done) => {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text,
          secure: session.secure,
          user: session.user as string | undefined,
        });
        done();
      });
    },
  });
  // A client that hangs up in the handshake is no fault of the server.
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

export const notice: Notice = {
  id: 'payymo-corruption-20261121-030402-n3',
  kind: 'gate-opened',
  severity: 'critical',
  at: '2026-11-21T03:04:08.000Z',
  runId: 'payymo-corruption-20261121-030402',
  system: 'payymo',
  systemTitle: 'Payymo payments ledger',
  scenario: 'corruption',
  mode: 'real',
  step: 'gate-point',
  matter: 'gate.point',
  settles: [],
  title: 'point waits for database-lead.',
  text: 'Go back to 02:59:39.871 UTC?',
  facts: [{ label: 'Loses', value: '41 payments, < 2 min & counting' }],
  actions: [{ label: 'muster approve payymo point', value: 'fences the primary' }],
  to: ['database-lead'],
};

export function receiver(channel: Channel, contacts: readonly string[] = []): Receiver {
  return { name: 'ops', channel, contacts };
}
