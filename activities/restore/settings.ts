import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { accountIds } from '../../src/process.js';
import type { DatabaseAt } from '../contract.js';
import { majorVersionOf } from '../service/index.js';
import { isSealed, SEALING, sealedSettings, writeSealedRules } from '../service/sealed.js';
import { postgresTime } from './time.js';

export interface TargetSettings {
  readonly restoreCommand: string;
  readonly archiveCommand: string;
  /** Off in drills: no stray timeline may reach the archive. On: nothing is archived before the promotion. */
  readonly archiveMode: 'on' | 'off';
  /**
   * Replay stops right before the first commit at or after the time, right after the record that begins at the position, or
   * where the backup is consistent.
   */
  readonly until: { readonly time: string } | { readonly lsn: string } | { readonly consistent: true };
  readonly timeline: number;
  /** Of a copy that nobody but Muster may reach: what differs from the site's own. */
  readonly instead?: Readonly<Record<string, string>>;
}

/** `copy`: what a server is at its site; `hold`: what keeps a standby where it stands, for as long as it is held. */
export type OwnSection = 'copy' | 'hold';

const MARKS: Readonly<Record<OwnSection, { readonly begin: string; readonly end: string }>> = {
  copy: {
    begin: '# Muster: settings of this copy, begin',
    end: '# Muster: settings of this copy, end',
  },
  hold: {
    begin: '# Muster: settings that hold this standby, begin',
    end: '# Muster: settings that hold this standby, end',
  },
};

/**
 * What a standby needs whose files come from a server that was once restored: pgBackRest and Muster have left in them where that
 * restore was to stop (manual: 20.5.5; an empty target is none).
 */
export const NO_RECOVERY_TARGET: Readonly<Record<string, string>> = {
  recovery_target: '',
  recovery_target_time: '',
  recovery_target_lsn: '',
  recovery_target_xid: '',
  recovery_target_name: '',
  recovery_target_timeline: 'latest',
};

/**
 * Writes the copy's own settings to the end of postgresql.auto.conf, which is read last and where a later line wins
 * (manual: 20.1.2): they beat what the backup brought along and survive every restart.
 *
 * @throws PermanentError `ServerConfigMissing` when the backup holds no postgresql.conf
 */
export async function writeTargetSettings(target: DatabaseAt, settings: TargetSettings): Promise<void> {
  const { dataDirectory, account } = target.postgres.service;
  await dropForeignPaths(dataDirectory, account);
  if (isSealed(target.postgres)) await writeSealedRules(target);
  await writeOwnSettings(target, await valuesOf(target, settings));
}

/**
 * Has a sealed server listen at its address from its next start on, with the rules of access that it was restored with. Whatever
 * else stands in its own settings stays.
 *
 * @param target the same server by its address
 */
export async function writeOpenSettings({ postgres }: DatabaseAt): Promise<void> {
  const { account, dataDirectory } = postgres.service;
  const file = join(dataDirectory, 'postgresql.auto.conf');
  const before = await readFile(file, 'utf8');
  const given = [...SEALING, 'listen_addresses'];
  const kept = before.split('\n').filter((line) => !given.includes(line.split('=', 1)[0]?.trim() ?? ''));
  const end = kept.lastIndexOf(MARKS.copy.end);
  if (end < 0) throw new TypeError(`${file} holds no settings of Muster's.`);
  const listening = `listen_addresses = ${quote(postgres.host)}`;
  await replaceFile(file, [...kept.slice(0, end), listening, ...kept.slice(end)].join('\n'), account);
}

/** Writes the section with a server's own settings, in place of the one before; whatever else stands in the file stays. */
export async function writeOwnSettings(
  { postgres }: DatabaseAt,
  values: Readonly<Record<string, string>>,
  section: OwnSection = 'copy',
): Promise<void> {
  const { dataDirectory, account } = postgres.service;
  const { begin, end } = MARKS[section];
  const file = join(dataDirectory, 'postgresql.auto.conf');
  const before = withoutSection(await readFile(file, 'utf8').catch(() => ''), section);
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${quote(value)}`);
  await replaceFile(file, [before.trimEnd(), begin, ...lines, end, ''].join('\n'), account);
}

/** Takes the section away again: what stood in the file before holds. Does nothing where there is none. */
export async function removeOwnSettings(
  { postgres }: DatabaseAt,
  section: OwnSection = 'copy',
): Promise<void> {
  const { dataDirectory, account } = postgres.service;
  const file = join(dataDirectory, 'postgresql.auto.conf');
  const before = await readFile(file, 'utf8').catch(() => '');
  const without = withoutSection(before, section);
  if (without !== before) await replaceFile(file, `${without.trimEnd()}\n`, account);
}

async function valuesOf(
  target: DatabaseAt,
  settings: TargetSettings,
): Promise<Readonly<Record<string, string>>> {
  const { host, port, service } = target.postgres;
  const { until } = settings;
  const major = (await majorVersionOf(service.dataDirectory)) ?? 15;
  return {
    ...(isSealed(target.postgres)
      ? sealedSettings(target.postgres)
      : { listen_addresses: host, unix_socket_directories: service.socketDirectory }),
    port: String(port),
    restore_command: settings.restoreCommand,
    ...targetOf(until),
    recovery_target_timeline: String(settings.timeline),
    recovery_target_action: 'pause',
    recovery_min_apply_delay: '0',
    // Either could delete from the archive or act on other systems while the copy is only looked at.
    archive_cleanup_command: '',
    recovery_end_command: '',
    primary_conninfo: '',
    primary_slot_name: '',
    hot_standby: 'on',
    archive_mode: settings.archiveMode,
    archive_command: settings.archiveCommand,
    ...(major >= 15 ? { archive_library: '' } : {}),
    // A promoted copy has no standby yet: commits would wait for one for ever.
    synchronous_standby_names: '',
    // The log is followed while replay runs, so it has to be where the runbook says, in English.
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    lc_messages: 'C',
    ...settings.instead,
  };
}

function targetOf(until: TargetSettings['until']): Readonly<Record<string, string>> {
  if ('consistent' in until) {
    return { recovery_target_time: '', recovery_target_lsn: '', recovery_target: 'immediate' };
  }
  if ('lsn' in until) {
    return { recovery_target_time: '', recovery_target_lsn: until.lsn, recovery_target_inclusive: 'on' };
  }
  return {
    recovery_target_lsn: '',
    recovery_target_time: postgresTime(until.time),
    recovery_target_inclusive: 'off',
  };
}

/** These would lead the server that is started here to the original's files. */
async function dropForeignPaths(dataDirectory: string, account: string): Promise<void> {
  const file = join(dataDirectory, 'postgresql.conf');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new PermanentError(
      'ServerConfigMissing',
      `The backup holds no postgresql.conf: ${file} is missing.`,
      {
        why: "The original keeps its configuration outside of its data directory (Debian's way).",
        next: `Put postgresql.conf, pg_hba.conf and pg_ident.conf of the original into ${dataDirectory}, owned by ${account}, then retry the step.`,
      },
    );
  }
  const without = text.replace(/^(\s*(?:data_directory|external_pid_file)\b.*)$/gim, '# Muster: $1');
  if (without !== text) await replaceFile(file, without, account);
}

function withoutSection(text: string, section: OwnSection): string {
  const { begin, end } = MARKS[section];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  return from < 0 || to < from ? text : `${text.slice(0, from)}${text.slice(to + end.length)}`;
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

async function replaceFile(file: string, text: string, account: string): Promise<void> {
  const mode = (await stat(file).catch(() => undefined))?.mode ?? 0o600;
  await writeFile(`${file}.muster`, text, { mode: mode & 0o777 });
  const ids = accountIds(account);
  if (ids.switch) {
    await chown(`${file}.muster`, ids.uid, ids.gid);
  }
  await rename(`${file}.muster`, file);
}
