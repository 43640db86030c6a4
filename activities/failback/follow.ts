/**
 * The primary that was left follows the new one. It was shut down cleanly and the new one began at its very last record, so its
 * files are that one's history: nothing has to be copied or rewound (manual: 27.2.2, 27.2.6, 30.5).
 */
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import { resolveSecret } from '../../src/secrets.js';
import type { FailbackActivities, StandbyBuilt } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { readBranch } from '../promote/server.js';
import { dropLease } from '../provision/lease.js';
import { NO_RECOVERY_TARGET, removeOwnSettings, writeOwnSettings } from '../restore/settings.js';
import { archiveGetCommand, archivePushCommand } from '../restore/shell.js';
import { serviceOf } from '../service/index.js';
import { following, makeSlot, replicationOf, requirePrimary, untilFollowing } from '../standby/build.js';
import { onStandby } from '../standby/state.js';
import { writeOwnedFile } from './owned-file.js';
import { dropSlot } from './reseeded.js';
import { dropMark } from './stop.js';

type Input = Parameters<FailbackActivities['followHome']>[0];

export async function followHome(input: Input): Promise<StandbyBuilt> {
  const { left, primary, slot } = input;
  const service = serviceOf(left.postgres);
  const timeline = await onStandby(primary, (client) => requirePrimary(client, primary));
  const done = await following(primary, slot);
  if (done === undefined || (await service.pid()) === undefined) {
    await requireSameHistory(input, timeline);
    await onStandby(primary, (client) => makeSlot(client, slot));
    await service.stop('fast');
    await settle(input);
    await service.start('ready');
  }
  const lagBytes = done ?? (await untilFollowing(primary, slot));
  // As the primary it kept WAL for the one that followed it; nobody will fetch that any more.
  await dropSlot(left, slot);
  // What the recovery that made it wrote beside it: it is an ordinary standby now.
  await dropLease(left.postgres.service.dataDirectory);
  await dropLease(primary.postgres.service.dataDirectory);
  await dropMark(left);
  return {
    site: left.site,
    slot,
    bytes: 0,
    timeline,
    lagBytes,
    summary: `${left.site} follows ${primary.site} on timeline ${timeline} through the slot ${slot}, nothing copied, ${formatBytes(lagBytes)} behind`,
  };
}

/** @throws PermanentError `HistoryDiverged` */
async function requireSameHistory({ left, primary, fence }: Input, timeline: number): Promise<void> {
  const control = await serviceOf(left.postgres).control();
  const branch = await onStandby(primary, (client) => readBranch(client, timeline));
  const asItWasLeft =
    control.timeline === branch.parent &&
    lsnToNumber(control.checkpointLsn) === lsnToNumber(fence.shutdown.checkpointLsn);
  // One that has followed before stands on the new timeline.
  if (branch.lsn === fence.shutdown.endLsn && (asItWasLeft || control.timeline === timeline)) return;
  throw new PermanentError(
    'HistoryDiverged',
    `The cluster at ${left.site} is on timeline ${control.timeline} with its checkpoint at ${control.checkpointLsn}; it was shut down with the one at ${fence.shutdown.checkpointLsn}, and ${primary.site} left timeline ${branch.parent} at ${branch.lsn}.`,
    {
      why: 'Somebody has started it since: what it wrote is not in the new primary.',
      next: `Leave it stopped and look at it. ${primary.site} works; build a standby elsewhere, or skip the step.`,
    },
  );
}

async function settle({ left, primary, backup, slot }: Input): Promise<void> {
  const { host, port, service } = left.postgres;
  const { user, password } = replicationOf(primary);
  const conninfo = Object.entries({
    host: primary.postgres.host,
    port: String(primary.postgres.port),
    user,
    password: await resolveSecret(password),
    application_name: `muster_${left.site}`,
  })
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
  await writeOwnedFile(join(service.dataDirectory, 'standby.signal'), '', service.account);
  await removeOwnSettings(left, 'hold');
  await writeOwnSettings(left, {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: service.socketDirectory,
    primary_conninfo: conninfo,
    primary_slot_name: slot,
    // Where a restore of before was to stop is no target of a standby.
    ...NO_RECOVERY_TARGET,
    restore_command: archiveGetCommand(left.postgres, backup),
    archive_command: archivePushCommand(left.postgres, backup),
  });
}

/** A value of a connection string (manual: 34.1.1.1). */
function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
