/**
 * A DNS driver for a zone that is a file on the worker's machine, served by whatever reads it again when its serial has grown
 * (CoreDNS `file`, Knot, NSD). One line a record: `name ttl IN type value`.
 */
import { access, constants, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { DnsDriver, OpenDns, RecordState } from '../../activities/dns/driver.js';
import type { PrintedChange } from '../../activities/dns/printed-change.js';
import { sameValues } from '../../activities/dns/resolvers.js';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { PrintedCommand } from '../../src/model/plan.js';
import { absolutePath } from '../../src/runbook/fields.js';

/** The section of the runbook, beside what every record has: goes into `src/runbook/sections/dns.ts`. */
export const zoneFileSection = z.strictObject({
  driver: z.literal('zone-file'),
  file: absolutePath.describe('The zone; its folder must be writable for the worker'),
});

interface ZoneFileRecord extends z.output<typeof zoneFileSection> {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME';
}

/** The driver: goes into `activities/dns/zone-file.ts`, its name into `drivers` of `activities/dns/index.ts`. */
export async function openZoneFile(
  record: ZoneFileRecord,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<OpenDns>>> {
  const driver: DnsDriver = {
    read: async () => stateIn(record, await textOf(record, signal)),

    async replace(before, after) {
      // Taken before reading: between comparing and writing nobody else may write.
      await takeLock(record);
      try {
        const text = await textOf(record, signal);
        const now = stateIn(record, text);
        if (!sameValues(now.values, before.values) || now.ttl !== before.ttl) return undefined;
        const serial = await writeZone(record, text, after);
        return `serial ${serial}`;
      } finally {
        await rm(lockOf(record), { force: true });
      }
    },

    // A file has no second server to wait for; the resolvers of the runbook are asked by whoever calls.
    settled: async () => undefined,

    async ready() {
      const { values, ttl } = stateIn(record, await textOf(record, signal));
      await access(dirname(record.file), constants.W_OK).catch((error: unknown) => {
        throw denied(record, error);
      });
      return { summary: `${record.file} holds ${record.name} ${values.join(', ')} (TTL ${ttl} s)` };
    },
  };
  return { ...driver, close: () => undefined };
}

/** The same by hand: goes into `activities/dns/zone-file-commands.ts`, its call into `recordCommands`. */
export function zoneFileCommands(record: ZoneFileRecord, change: PrintedChange): readonly PrintedCommand[] {
  const { before, after, ttlAfter } = change;
  const lines = after.map((value) => `${record.name}. ${ttlAfter} IN ${record.type} ${value}`);
  return [
    {
      where: 'on the worker',
      command: `grep -n '^${record.name}. .* ${record.type} ' ${record.file}`,
      note: `Must show ${before.join(', ')}. Anything else: find out who changed it before going on.`,
    },
    {
      where: 'on the worker',
      command: `vi ${record.file}`,
      note: `Replace these lines by: ${lines.join('; ')}. Add 1 to the serial of the SOA record.`,
    },
  ];
}

async function textOf({ file }: ZoneFileRecord, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new PermanentError('ZoneMissing', `The zone ${file} cannot be read: ${messageOf(error)}.`, {
      next: 'Correct dns in the runbook (file) or the rights of the worker, then retry the step.',
      cause: error,
    });
  }
}

function stateIn(record: ZoneFileRecord, text: string): RecordState {
  const own = text.split('\n').flatMap((line) => fieldsOf(record, line) ?? []);
  const [first] = own;
  if (first !== undefined) return { values: own.map(({ value }) => value), ttl: first.ttl };
  throw new PermanentError('RecordMissing', `${record.file} holds no ${record.type} record ${record.name}.`, {
    next: 'Find out who removed it, put it back as the runbook says, then retry the step.',
  });
}

/** undefined: a line of something else. */
function fieldsOf(record: ZoneFileRecord, line: string): { ttl: number; value: string } | undefined {
  const [name = '', ttl = '', , type = '', value = ''] = line.trim().split(/\s+/);
  if (type !== record.type || !sameValues([name], [record.name])) return undefined;
  return { ttl: Number(ttl), value };
}

/** Whoever reads the zone meanwhile sees the old one or the new one, never half of it. */
async function writeZone(record: ZoneFileRecord, text: string, after: RecordState): Promise<number> {
  const kept = text.split('\n').filter((line) => fieldsOf(record, line) === undefined);
  const lines = after.values.map((value) => `${record.name}. ${after.ttl} IN ${record.type} ${value}`);
  let serial = 0;
  const zone = [...kept, ...lines, ''].join('\n').replace(/( SOA \S+ \S+ )(\d+)/, (_, start, old) => {
    serial = Number(old) + 1;
    return `${start}${serial}`;
  });
  const draft = `${record.file}.new`;
  const handle = await open(draft, 'w', 0o644).catch((error: unknown) => {
    throw denied(record, error);
  });
  try {
    await handle.writeFile(zone);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, record.file);
  return serial;
}

function lockOf({ file }: ZoneFileRecord): string {
  return `${file}.lock`;
}

async function takeLock(record: ZoneFileRecord): Promise<void> {
  try {
    await (await open(lockOf(record), 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw denied(record, error);
    throw new TransientError('ZoneLocked', `Somebody else writes to ${record.file}.`, {
      next: `The step tries again by itself. If nobody does, delete ${lockOf(record)}.`,
      cause: error,
    });
  }
}

function denied(record: ZoneFileRecord, error: unknown): PermanentError {
  return new PermanentError('DnsDenied', `The zone ${record.file} cannot be changed: ${messageOf(error)}.`, {
    next: 'Give the worker the right to write into its folder, then retry the step.',
    cause: error,
  });
}
