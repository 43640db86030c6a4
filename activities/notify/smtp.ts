/** Mail by SMTP, in plain text: it is read on any device, and by whoever prints it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import type { Notice, Receiver } from '../../src/model/notice.js';
import type { Channel } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { activitySignal } from '../context.js';
import { authorities, concealed, type Patience, reasonOf, refused, undelivered } from './post.js';
import { plainText, subjectOf } from './text.js';

type Smtp = Extract<Channel, { driver: 'smtp' }>;

/** What nodemailer says of a failure, beside its message. */
interface SmtpFailure {
  readonly responseCode?: number;
}

/**
 * One message to the channel's `to` and to the `mailto:` contacts. Its Message-ID is the notice's id; the messages of a run
 * make one thread (RFC 5322, References).
 *
 * @throws PermanentError `NoticeRefused` for a login or an address that the server refuses for good (5yz, RFC 5321);
 *   `SecretMissing`
 * @throws TransientError `NoticeNotDelivered` for all else
 */
export async function sendByMail(
  notice: Notice,
  channel: Smtp,
  receiver: Receiver,
  patience: Patience,
): Promise<void> {
  const name = `${receiver.name} (smtp)`;
  const to = addressesOf(channel, receiver);
  if (to.length === 0) throw refused(name, 'it names no address, and nobody whom the notice is for has one');
  const password = channel.password === undefined ? undefined : await resolveSecret(channel.password);
  const ca = await authorities(name, channel.caFile);
  const line = new Line(channel, patience, activitySignal());
  const transport = createTransport({
    host: channel.host,
    port: channel.port,
    secure: channel.security === 'tls',
    requireTLS: channel.security === 'starttls',
    ignoreTLS: channel.security === 'none',
    ...(channel.user === undefined ? {} : { auth: { user: channel.user, pass: password ?? '' } }),
    tls: ca === undefined ? {} : { ca },
    // The line is cut before, and says why in better words.
    greetingTimeout: 2 * patience.wholeMs,
    socketTimeout: 2 * patience.wholeMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_options, take) => line.open(take),
  });
  try {
    await line.within(transport.sendMail(mailOf(notice, channel.from, to)));
  } catch (error) {
    if (activitySignal().aborted) throw error;
    const secrets = password === undefined ? [] : [password];
    const why = concealed(reasonOf(error), secrets);
    const { responseCode = 0 } = error as SmtpFailure;
    throw responseCode >= 500 ? refused(name, why) : undelivered(name, why);
  } finally {
    transport.close();
    line.close();
  }
}

export function addressesOf(channel: Smtp, receiver: Receiver): string[] {
  const contacts = receiver.contacts
    .filter((contact) => contact.startsWith('mailto:'))
    .map((contact) => decodeURIComponent(contact.slice('mailto:'.length).replace(/\?.*$/, '')));
  return [...new Set([...channel.to, ...contacts])];
}

function mailOf(notice: Notice, from: string, to: readonly string[]) {
  const domain = /@([^\s>]+)/.exec(from)?.[1] ?? 'muster.invalid';
  return {
    from,
    to: [...to],
    subject: subjectOf(notice),
    text: plainText(notice),
    date: new Date(notice.at),
    messageId: `<${notice.id}@${domain}>`,
    references: `<${notice.runId}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Muster-Notice': `${notice.kind}; ${notice.runId}` },
  };
}

/** The connection to the server: opened and ended here, so that nothing outlives the patience or the activity. */
class Line {
  private socket: Socket | undefined;

  constructor(
    private readonly server: Smtp,
    private readonly patience: Patience,
    private readonly signal: AbortSignal,
  ) {}

  open(take: (error: Error | null, socket?: { connection: Socket }) => void): void {
    const { host, port } = this.server;
    const socket = connect({ host, port });
    this.socket = socket;
    const { connectMs } = this.patience;
    const late = setTimeout(
      () => socket.destroy(new Error(`no connection within ${connectMs / 1_000} s`)),
      connectMs,
    );
    socket.once('error', (error) => {
      clearTimeout(late);
      take(error);
    });
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      take(null, { connection: socket });
    });
  }

  /** The work, unless it takes too long or the activity is called off. */
  async within<T>(work: Promise<T>): Promise<T> {
    const { wholeMs } = this.patience;
    const over = AbortSignal.any([this.signal, AbortSignal.timeout(wholeMs)]);
    const cut = once(over, 'abort').then(() => {
      throw new Error(`no answer within ${wholeMs / 1_000} s`);
    });
    // Where the race is lost, the work fails once the socket is closed: nobody waits for that.
    work.catch(() => undefined);
    return Promise.race([work, cut]);
  }

  close(): void {
    this.socket?.destroy();
  }
}
