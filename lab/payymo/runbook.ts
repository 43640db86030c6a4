/** Payymo's runbook with the addresses of the lab. */
import { layoutOf, SITES, type SiteName } from '../layout.js';
import { appEnvironment, deployCommand, stopCommand, trialCommand } from '../parts/payymo.js';
import { cleanConfigOf } from '../parts/pgbackrest.js';
import { evidenceBucketOf } from '../parts/s3.js';
import {
  bucketReplacements,
  type Replacement,
  recordReplacements,
  renewedSecret,
  serverReplacements,
  writeRunbook,
} from '../runbook.js';
import type { LabState } from '../state.js';

/**
 * @param baseFile the owner's runbook, `runbooks/payymo.yaml`
 * @throws LabError when the owner's file lacks an entry that the lab must replace
 */
export async function writeLabRunbook(state: LabState, baseFile: string, outFile: string): Promise<void> {
  const { ledger } = state;
  const counterparts: Readonly<Record<string, string>> = {
    'ledger-admin-password': ledger.admin.password,
    'ledger-app-password': ledger.app.password,
    'ledger-replication-password': ledger.replication.password,
    'ledger-signing-key': ledger.signingKey,
    'ledger-deploy-password': ledger.deploy.password,
  };
  const { secrets } = layoutOf(state.dir);
  await writeRunbook(
    {
      title: 'Payymo',
      state,
      replacements: () => replacements(state),
      secretOf: (name) => renewedSecret(secrets, name, counterparts) ?? counterparts[name],
    },
    baseFile,
    outFile,
  );
}

function replacements(state: LabState): Replacement[] {
  const { ledger, regions, dns, payymo } = state;
  const application = ['applications', 'core-api'];
  const record = ['dns', 'ledger'];
  const breach = ['scenarios', 'breach'];
  return [
    [
      ['objectives', 'dataClasses', 'transactions', 'acknowledged', 'url'],
      `${payymo.clientUrl}/acknowledged`,
    ],
    ...SITES.flatMap((name) => siteReplacements(state, name)),
    [['sites', 'west', 'quarantineDirectory'], ledger.quarantineDir],
    [['sites', 'standby', 'quarantineDirectory'], ledger.quarantineDir],
    [['backups', 'ledger', 'stanza'], ledger.stanza],
    [['backups', 'ledger', 'processes'], 2],
    ...recordReplacements(state, record, { name: dns.record, zoneId: dns.zoneId }),
    ...SITES.map((name): Replacement => [[...record, 'values', name], [ledger.sites[name].address]]),
    [[...application, 'url'], payymo.appUrl],
    [[...application, 'trial', 'command'], trialCommand()],
    [[...application, 'trial', 'environment'], appEnvironment(state)],
    [[...application, 'deploy', 'command'], deployCommand()],
    [[...application, 'deploy', 'environment'], { MUSTER_LAB: state.dir }],
    ...bucketReplacements(['vault'], regions.east, regions.east.vaultBucket),
    ...bucketReplacements(['anchor'], regions.east, regions.east.journalBucket),
    ...bucketReplacements(['objects', 'statements', 'primary'], regions.west, regions.west.filesBucket),
    ...bucketReplacements(['objects', 'statements', 'secondary'], regions.east, regions.east.filesBucket),
    [['objects', 'statements', 'cors', 0, 'origins'], [payymo.appUrl]],
    [['verification', 'jobs'], 2],
    [[...breach, 'backupConfig'], cleanConfigOf(ledger.sites.recovery.backupConfig)],
    [[...breach, 'stopApplication', 'command'], stopCommand()],
    [[...breach, 'stopApplication', 'environment'], { MUSTER_LAB: state.dir }],
    ...bucketReplacements([...breach, 'evidence'], regions.east, evidenceBucketOf('payymo')),
  ];
}

function siteReplacements(state: LabState, name: SiteName): Replacement[] {
  const { ledger } = state;
  const site = ledger.sites[name];
  const postgres = ['sites', name, 'postgres'];
  return [
    ...serverReplacements(state, postgres, site, ledger),
    [[...postgres, 'replication', 'user'], ledger.replication.user],
    [[...postgres, 'backupConfig'], site.backupConfig],
  ];
}
