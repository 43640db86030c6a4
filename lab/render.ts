/** How the lab reads for people: plain text, at most 80 columns wherever paths allow it. */
import type { ZoneLoss } from './break/az-loss.js';
import type { BackupLoss } from './break/backup-loss.js';
import type { Breach } from './break/breach.js';
import type { CorruptedTable } from './break/corrupted-table.js';
import type { Corruption } from './break/corruption.js';
import type { ObjectLoss } from './break/object-loss.js';
import type { RegionLoss } from './break/regional-loss.js';
import type { ServerLoss } from './break/server-loss.js';
import type { Harm } from './break/worlds.js';
import type { Damage, Disaster, LabDownResult, LabUpResult } from './commands.js';
import { REGION_CODES } from './parts/s3.js';
import type { PartName } from './state.js';
import type { LabStatus, PlaceStatus, ServiceStatus } from './status.js';
import { WORLD_NAMES, worldNamed } from './worlds/index.js';

const TITLES = {
  temporal: 'Temporal',
  's3-west': 'S3 us-west-2',
  's3-east': 'S3 us-east-1',
  route53: 'Route 53 API',
  dns: 'DNS server',
  'postgres-west': 'ledger, west',
  'postgres-standby': 'ledger, standby',
  'postgres-recovery': 'ledger, recovery',
  'postgres-east': 'ledger, east',
  store: "Muster's store",
  'payymo-app': 'Payymo API',
  'payymo-client': 'paying client',
  worker: "Muster's worker",
} as const;

/** The lab after `muster lab up`. */
export function renderUp(result: LabUpResult): string {
  return [
    `The lab is up, in ${(result.tookMs / 1_000).toFixed(1)} s.`,
    '',
    ...table(result),
    '',
    ...next(result),
  ].join('\n');
}

/** The lab as `muster lab status` shows it; undefined: there is none. */
export function renderStatus(status: LabStatus | undefined): string {
  if (!status) return 'There is no lab. Bring it up with: muster lab up';
  return [...table(status), '', ...next(status)].join('\n');
}

/** What `muster lab down` did. */
export function renderDown(result: LabDownResult): string {
  return result.found ? `The lab in ${result.dir} is gone.` : `There was no lab in ${result.dir}.`;
}

/** What a disaster did, and what brings it back. */
export function renderBreak<D extends Disaster>(disaster: D, damage: Damage[D]): string {
  const render: { readonly [K in Disaster]: (damage: Damage[K]) => string } = {
    corruption: renderCorruption,
    'corrupted-table': renderCorruptedTable,
    'az-loss': renderZoneLoss,
    'infrastructure-failure': renderServerLoss,
    'regional-loss': renderRegionLoss,
    'object-loss': renderObjectLoss,
    breach: renderBreach,
    'backup-loss': renderBackupLoss,
  };
  return render[disaster](damage);
}

/** What a disaster did to a system beside Payymo. */
export function renderHarm({ what, facts, recover }: Harm): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  const lines = facts.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`);
  return [what, '', ...lines, '', 'Bring it back:', `  ${recover}`].join('\n');
}

function renderBackupLoss({ at, site, left, serverPids, backups, pages }: BackupLoss): string {
  const spared = {
    standby: 'the streaming standby',
    'older-backup': 'the oldest backup in us-east-1',
    'damaged-server': `what lies on the disk at ${site}`,
  }[left];
  return [
    `The backups are damaged, and so is the disk at ${site}. Payments are not taken any more.`,
    '',
    `  at      ${at}`,
    `  damage  ${serverPids.length} processes killed, ${pages} pages of the primary overwritten`,
    ...Object.entries(backups).map(([label, places]) => `          ${label}: ${places} places`),
    `  left    ${spared}`,
    '',
    'Bring it back:',
    `  muster recover backupLoss payymo --detected-at ${at}`,
  ].join('\n');
}

function renderZoneLoss({ at, site, fate, serverPids, applicationPid, standby }: ZoneLoss): string {
  const application =
    applicationPid === null ? 'no application ran there' : `the application (${applicationPid}) is gone`;
  return [
    `The zone of ${site} is lost. Payments are not taken any more.`,
    '',
    `  since    ${at}`,
    fate === 'dead'
      ? `  damage   the primary is dead (${serverPids.length} processes killed); ${application}`
      : `  damage   nobody reaches the primary (${serverPids.length} processes stand still); ${application}`,
    `  standby  ${standby ? 'has received what the primary could still send' : 'there is none'}`,
    '',
    'Bring it back:',
    `  muster recover azLoss payymo --detected-at ${at}`,
  ].join('\n');
}

function renderServerLoss({ at, site, serverPids, dataDir }: ServerLoss): string {
  return [
    `The server at ${site} is gone. Payments are not taken any more.`,
    '',
    `  at      ${at}`,
    `  damage  ${serverPids.length} processes killed, and the disk with ${dataDir} is gone`,
    '',
    'Bring it back:',
    `  muster recover infrastructureFailure payymo --detected-at ${at}`,
  ].join('\n');
}

function renderRegionLoss({ at, region, sites, serverPids }: RegionLoss): string {
  return [
    `The region ${REGION_CODES[region]} is lost. Payments are not taken any more.`,
    '',
    `  at      ${at}`,
    `  damage  the servers at ${sites.join(', ')} (${serverPids.length} processes), the application and the object store are gone`,
    '',
    'Bring it back:',
    `  muster recover regionalLoss payymo --detected-at ${at}`,
  ].join('\n');
}

function renderObjectLoss({ kind, bucket, startedAt, finishedAt, deleted, overwritten }: ObjectLoss): string {
  return [
    kind === 'bucket'
      ? `The bucket ${bucket} is deleted with all its versions. Payments go on.`
      : `Files in ${bucket} are deleted and overwritten. Payments go on.`,
    '',
    `  from    ${startedAt}`,
    `  to      ${finishedAt}`,
    `  damage  ${deleted.length} files deleted, ${overwritten.length} overwritten`,
    '',
    'Bring them back:',
    kind === 'bucket'
      ? `  muster recover objectLoss payymo --detected-at ${startedAt}`
      : `  muster recover objectLoss payymo --before ${startedAt} --until ${finishedAt}`,
  ].join('\n');
}

function renderBreach(breach: Breach): string {
  const { startedAt, finishedAt, left, encryptedRows, deletedObjects, lockedObjects } = breach;
  const count = (rows: number) => rows.toLocaleString('en');
  return [
    'Somebody is in. Payments go on, and each is copied to the intruder.',
    '',
    `  from     ${startedAt}`,
    `  to       ${finishedAt}`,
    `  left     ${left.slice(0, 3).join(', ')},`,
    `           ${left.slice(3).join(', ')}`,
    `  damage   ${count(encryptedRows)} users encrypted; ${count(deletedObjects)} objects of the backups in`,
    '           us-west-2 deleted; every password and key of that region is stolen',
    `  locked   ${count(lockedObjects)} versions in us-east-1, which could not be`,
    '',
    'Bring it back:',
    '  muster recover breach payymo',
  ].join('\n');
}

function renderCorruption(corruption: Corruption): string {
  const count = (rows: number) => rows.toLocaleString('en');
  return [
    'A bad change has been deployed. Payments go on.',
    '',
    `  from     ${corruption.startedAt}`,
    `  to       ${corruption.finishedAt}`,
    `  damage   ${count(corruption.alteredRows)} amounts rewritten, ${count(corruption.deletedRows)} rows deleted`,
    `           ${corruption.disabledTrigger} is switched off`,
    '',
    'Bring it back:',
    `  muster recover corruption payymo --before ${corruption.startedAt}`,
  ].join('\n');
}

/** `moneyflow-postgres-west` is the database of MoneyFlow at west. */
function titleOf(name: PartName): string {
  if (name in TITLES) return TITLES[name as keyof typeof TITLES];
  const system = WORLD_NAMES.find((each) => name.startsWith(`${each}-`));
  if (system === undefined) return name;
  const part = name.slice(system.length + 1);
  const { title } = worldNamed(system);
  if (part.startsWith('postgres-')) return `${title}, ${part.slice('postgres-'.length)}`;
  return part === 'app' ? `${title} application` : `${title} client`;
}

function renderCorruptedTable({ table, startedAt, alteredRows }: CorruptedTable): string {
  return [
    'A bad import has gone into one table. Payments go on.',
    '',
    `  from     ${startedAt}`,
    `  damage   ${alteredRows.toLocaleString('en')} rows of ${table} are overwritten`,
    '',
    'Bring it back:',
    `  muster recover corruptedTables payymo --tables ${table} --before ${startedAt}`,
  ].join('\n');
}

function table(status: LabStatus): string[] {
  const rows = status.parts.map(({ name, part, state }) => [
    titleOf(name),
    part.address,
    state === 'running' ? String(part.pid) : '-',
    state,
  ]);
  const sites = status.sites
    .filter(({ name }) => !status.parts.some((part) => part.name === `postgres-${name}`))
    .map((site) => [
      `ledger, ${site.name}`,
      site.address,
      site.serverPid === null ? '-' : String(site.serverPid),
      site.serverPid === null ? 'no cluster runs here' : 'running, by a recovery',
    ]);
  const elsewhere = status.worlds.flatMap((world) =>
    world.sites
      .filter(({ name }) => !status.parts.some((part) => part.name === `${world.system}-postgres-${name}`))
      .map((site) => [
        `${worldNamed(world.system).title}, ${site.name}`,
        site.address,
        site.serverPid === null ? '-' : String(site.serverPid),
        site.serverPid === null ? 'no cluster runs here' : 'running, by a recovery',
      ]),
  );
  return columns([['part', 'address', 'pid', 'state'], ...rows, ...sites, ...elsewhere]);
}

function next({ state, sites, service, worlds }: LabStatus): string[] {
  const payymo = state.systems.includes('payymo');
  return [
    ...(payymo ? [...serviceLines('Payymo', service, 'payments', state.dns.record, sites)] : []),
    ...worlds.flatMap((world) =>
      serviceLines(worldNamed(world.system).title, world.service, 'records', world.record, world.sites),
    ),
    `Temporal UI  ${state.temporal.uiUrl}`,
    `Runbooks     ${state.systems.map((system) => `${state.runbooks}/${system}.yaml`).join(', ')}`,
    `Logs         ${state.dir}/logs`,
    `People       ${Object.keys(state.people).join(', ')} sign: muster approve ... $(muster lab proof <person>)`,
    '',
    `Next: muster lab break --help, muster plan corruption ${state.systems[0]}, muster lab down`,
  ];
}

function serviceLines(
  title: string,
  { health, acknowledged }: ServiceStatus,
  records: string,
  record: string,
  sites: readonly PlaceStatus[],
): string[] {
  const leads = sites.find(({ inDns }) => inDns);
  const said = health ? `${health.status}${health.reason ? `: ${health.reason}` : ''}` : 'does not answer';
  return [
    `${title.padEnd(12)} ${said}${acknowledged === null ? '' : `, ${acknowledged.toLocaleString('en')} ${records} acknowledged`}`,
    `DNS          ${record} leads to ${leads ? `${leads.name} (${leads.address})` : 'no site'}`,
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, index) => Math.max(most[index] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
