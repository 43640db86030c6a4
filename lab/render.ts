/** How the lab reads for people: plain text, at most 80 columns wherever paths allow it. */
import type { ZoneLoss } from './break/az-loss.js';
import type { Corruption } from './break/corruption.js';
import type { ServerLoss } from './break/server-loss.js';
import type { Damage, Disaster, LabDownResult, LabUpResult } from './commands.js';
import type { LabStatus } from './status.js';

const TITLES = {
  temporal: 'Temporal',
  's3-west': 'S3 us-west-2',
  's3-east': 'S3 us-east-1',
  route53: 'Route 53 API',
  dns: 'DNS server',
  'postgres-west': 'ledger, west',
  'postgres-standby': 'ledger, standby',
  'postgres-recovery': 'ledger, recovery',
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
    'az-loss': renderZoneLoss,
    'infrastructure-failure': renderServerLoss,
  };
  return render[disaster](damage);
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

function table(status: LabStatus): string[] {
  const rows = status.parts.map(({ name, part, state }) => [
    TITLES[name],
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
  return columns([['part', 'address', 'pid', 'state'], ...rows, ...sites]);
}

function next({ state, sites, service }: LabStatus): string[] {
  const leads = sites.find(({ inDns }) => inDns);
  const { health, acknowledged } = service;
  const said = health ? `${health.status}${health.reason ? `: ${health.reason}` : ''}` : 'does not answer';
  return [
    `Payymo       ${said}${acknowledged === null ? '' : `, ${acknowledged.toLocaleString('en')} payments acknowledged`}`,
    `DNS          ${state.dns.record} leads to ${leads ? `${leads.name} (${leads.address})` : 'neither site'}`,
    `Temporal UI  ${state.temporal.uiUrl}`,
    `Runbook      ${state.runbooks}/payymo.yaml`,
    `Logs         ${state.dir}/logs`,
    `People       ${Object.keys(state.people).join(', ')} sign: muster approve ... $(muster lab proof <person>)`,
    '',
    'Next: muster lab break --help, muster plan corruption payymo, muster lab down',
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
