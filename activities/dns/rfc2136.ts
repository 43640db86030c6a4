/**
 * A zone's primary server that takes dynamic updates (RFC 2136) signed with a shared key (TSIG, RFC 8945). Compare-and-swap is
 * one UPDATE message: its prerequisite names the record set value for value (RFC 2136, 2.4.2), and either the whole update
 * happens or nothing does (3.7). A prerequisite cannot name the TTL. `nsupdate` and `dig` speak to the server.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PermanentError, TransientError } from '../../src/errors.js';
import { loadParts } from '../../src/parts.js';
import { type RunOutcome, runTool } from '../../src/process.js';
import type { Rfc2136Record } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import type { DnsDriver, OpenDns, RecordState } from './driver.js';
import { sameValues } from './resolvers.js';
import { updateScript } from './rfc2136-commands.js';

const REQUEST_MS = 10_000;
const QUERY_SECONDS = 3;
/** Secondaries are notified and fetch the zone; without a notice they look after the SOA's refresh time. */
const SETTLED_MS = 180_000;
const POLL_MS = 500;

export const openRfc2136: OpenDns<Rfc2136Record> = async (record, signal) => {
  const secret = await tsigSecret(record);
  const key = `key ${record.key.algorithm}:${record.key.name}. ${secret}\n`;
  const update = async (script: string): Promise<Answer> => {
    const outcome = await runTool(programOf('nsupdate'), ['-v', '-t', String(REQUEST_MS / 1000)], {
      timeoutMs: 2 * REQUEST_MS,
      signal,
      // The key goes in by standard input: others on the machine see arguments.
      input: `${key}${script}`,
    });
    return answerOf(outcome, secret);
  };
  return { ...driver(record, signal, update), close: () => undefined };
};

function driver(
  record: Rfc2136Record,
  signal: AbortSignal,
  update: (script: string) => Promise<Answer>,
): DnsDriver {
  return {
    read: () => readRecord(record, signal),

    async replace(before, after) {
      const answer = await update(updateScript(record, before.values, after));
      if (answer.status === 'NOERROR') return `update ${answer.id}`;
      if (answer.status === 'NXRRSET') return undefined;
      throw refused(record, answer);
    },

    async settled() {
      if (record.secondaries.length === 0) return;
      const wanted = await serialOf(record, record.server, signal);
      const deadline = performance.now() + SETTLED_MS;
      await Promise.all(
        record.secondaries.map(async (server) => {
          for (;;) {
            const serial = await serialOf(record, server, signal).catch((error: unknown) => {
              if (error instanceof TransientError) return undefined;
              throw error;
            });
            if (serial !== undefined && !isOlder(serial, wanted)) return;
            if (performance.now() > deadline) throw slow(record, server, serial, wanted);
            await delay(POLL_MS, undefined, { signal });
          }
        }),
      );
    },

    async ready() {
      const { values, ttl } = await readRecord(record, signal);
      // Only a prerequisite, no update: the server checks key and record set, and changes nothing.
      const answer = await update(updateScript(record, values));
      if (answer.status !== 'NOERROR' && answer.status !== 'NXRRSET') throw refused(record, answer);
      return {
        summary: `${record.server} answers ${record.name} ${values.join(', ')} (TTL ${ttl} s) and accepts the key ${record.key.name}`,
      };
    },
  };
}

/** @throws PermanentError `TsigKeyMalformed`, `SecretMissing` */
async function tsigSecret({ key }: Rfc2136Record): Promise<string> {
  const secret = (await resolveSecret(key.secret)).trim();
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(secret) && secret.length % 4 === 0) return secret;
  throw new PermanentError('TsigKeyMalformed', `The secret ${key.secret} is not a TSIG key in Base64.`, {
    next: 'Put only the value of "secret" of the key there, without quotes, then retry the step.',
  });
}

interface Answer {
  /** Response code of the server (RFC 2136, 2.2); `NONE` when it did not answer. */
  readonly status: string;
  /** Error of the signature: `BADKEY`, `BADSIG`, `BADTIME`, or `NOERROR`. */
  readonly tsig: string;
  readonly id: string;
  readonly says: string;
}

function answerOf({ stdout, stderr }: RunOutcome, secret: string): Answer {
  const [, status = 'NONE', id = ''] = /status: (\w+), id: +(\d+)/.exec(stdout) ?? [];
  const [, tsig = 'NOERROR'] =
    /TSIG\t.*\s(BADKEY|BADSIG|BADTIME|BADTRUNC|NOERROR) \d+\s*$/m.exec(stdout) ?? [];
  const says = stderr.replaceAll(secret, '***').trim().split('\n').join('; ');
  return { status, tsig, id, says: says === '' ? status : says };
}

async function readRecord(record: Rfc2136Record, signal: AbortSignal): Promise<RecordState> {
  const { name, type } = record;
  const answers = await query(record, record.server, name, type, signal);
  const own = answers.filter((one) => one.type === type && sameValues([one.name], [name]));
  const [first] = own;
  if (first !== undefined) return { values: own.map(({ value }) => plainValue(value)), ttl: first.ttl };
  if (answers.length > 0) {
    throw new PermanentError(
      'RecordNotPlain',
      `${name} in zone ${record.zone} is no ${type} record: ${answers.map((one) => `${one.type} ${one.value}`).join(', ')}.`,
      {
        next: 'Correct dns in the runbook (type), or change the record by hand as the printed runbook says.',
      },
    );
  }
  throw new PermanentError('RecordMissing', `Zone ${record.zone} holds no ${type} record ${name}.`, {
    why: 'It may have been emptied by somebody or something else; Muster only replaces what it expects.',
    next: 'Find out who removed it, put it back as the runbook says, then retry the step.',
  });
}

interface Line {
  readonly name: string;
  readonly ttl: number;
  readonly type: string;
  readonly value: string;
}

/** What an authority itself says, over TCP: an answer from a cache would be compared with what is not there any more. */
async function query(
  record: Rfc2136Record,
  server: string,
  name: string,
  type: string,
  signal: AbortSignal,
): Promise<readonly Line[]> {
  const [host = server, port = '53'] = server.split(':');
  const outcome = await runTool(
    programOf('dig'),
    [
      ...[`@${host}`, '-p', port, '-q', `${name}.`, '-t', type],
      ...['+tcp', '+norecurse', '+noall', '+comments', '+answer', `+time=${QUERY_SECONDS}`, '+tries=1'],
    ],
    { timeoutMs: REQUEST_MS, signal },
  );
  const [, status = 'NONE', flags = ''] = /status: (\w+)[^;]*;; flags: ([\w ]+);/.exec(outcome.stdout) ?? [];
  if (status === 'NONE' || status === 'SERVFAIL') {
    throw new TransientError(
      'DnsUnreachable',
      `${server} does not answer for ${name}: ${status === 'NONE' ? 'no reply' : status}.`,
      {
        next: 'The step tries again by itself. If it stays so, change the record by hand as the printed runbook says.',
      },
    );
  }
  if ((status !== 'NOERROR' && status !== 'NXDOMAIN') || !flags.split(' ').includes('aa')) {
    throw notAuthority(record, server, status === 'NOERROR' ? 'it answers without authority' : status);
  }
  return outcome.stdout.split('\n').flatMap((line) => {
    const [, name, ttl, type, value] = /^([^;\s]+)\s+(\d+)\s+IN\s+(\w+)\s+(.+)$/.exec(line) ?? [];
    if (name === undefined || type === undefined || value === undefined) return [];
    return [{ name, ttl: Number(ttl), type, value }];
  });
}

async function serialOf(record: Rfc2136Record, server: string, signal: AbortSignal): Promise<number> {
  const [soa] = await query(record, server, record.zone, 'SOA', signal);
  const serial = soa?.type === 'SOA' ? Number(soa.value.split(' ')[2]) : Number.NaN;
  if (Number.isInteger(serial)) return serial;
  throw notAuthority(record, server, 'it has no SOA of the zone');
}

/** Serial numbers go round (RFC 1982, 3.2). */
function isOlder(serial: number, than: number): boolean {
  return ((serial - than) | 0) < 0;
}

function plainValue(value: string): string {
  return value.trim().replace(/\.$/, '');
}

function notAuthority(record: Rfc2136Record, server: string, says: string): PermanentError {
  return new PermanentError('ZoneMissing', `${server} is no authority of zone ${record.zone}: ${says}.`, {
    next: 'Correct dns in the runbook (zone, server, secondaries) or the server, then retry the step.',
  });
}

function refused(record: Rfc2136Record, { status, tsig, says }: Answer): Error {
  const { server, key } = record;
  if (tsig === 'BADTIME') {
    return new PermanentError('DnsDenied', `${server} refuses the update of ${record.name}: ${says}.`, {
      why: 'The clocks of this machine and of the server differ by more than five minutes.',
      next: 'Set the clock right, then retry the step.',
    });
  }
  if (tsig !== 'NOERROR' || status === 'REFUSED') {
    const which = { BADKEY: 'does not know the key', BADSIG: 'holds another secret for the key' }[tsig];
    return new PermanentError(
      'DnsDenied',
      `${server} ${which === undefined ? 'does not let Muster change' : `${which} ${key.name}, so it refuses to change`} ${record.name} (${tsig === 'NOERROR' ? status : tsig}).`,
      {
        next: `Check dns in the runbook (key: name, algorithm, ${key.secret}) and what the server allows this key; then retry the step.`,
      },
    );
  }
  if (status === 'NOTAUTH' || status === 'NOTZONE') return notAuthority(record, server, status);
  return new TransientError(
    'DnsUnreachable',
    `${server} does not take the update of ${record.name}: ${says}.`,
    {
      next: 'The step tries again by itself. If it stays so, change the record by hand as the printed runbook says.',
    },
  );
}

function slow(
  record: Rfc2136Record,
  server: string,
  serial: number | undefined,
  wanted: number,
): TransientError {
  return new TransientError(
    'DnsSlow',
    `${server} does not serve the change of ${record.name} after ${SETTLED_MS / 1000} s: it ${serial === undefined ? 'does not answer' : `has serial ${serial}, the primary ${wanted}`}.`,
    {
      next: 'See why it does not copy the zone (notify, transfer). The change is made; the step goes on waiting by itself.',
    },
  );
}

/** As the set-up found it, else as it is called. */
function programOf(name: 'nsupdate' | 'dig'): string {
  try {
    return loadParts()[name].path;
  } catch {
    return name;
  }
}
