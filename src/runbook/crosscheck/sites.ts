import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

/** Sites: one primary, and no two that are the same server or the same files. */
export function checkSites(runbook: Runbook, problems: Problems): void {
  const sites = Object.entries(runbook.sites);
  const primaries = sites.filter(([, site]) => site.role === 'primary');
  if (primaries.length === 0) problems.add(['sites'], 'one site with the role primary', 'no primary');
  for (const [name] of primaries.slice(1)) {
    problems.add(['sites', name, 'role'], `one primary only: ${primaries[0]?.[0]} has this role already`);
  }
  const physical = Object.entries(runbook.backups).find(([, { driver }]) => driver === 'pgbackrest');
  for (const [name, site] of sites) {
    checkSite(name, site, problems);
    if (physical !== undefined && site.postgres !== undefined && site.postgres.backupConfig === undefined) {
      problems.add(
        ['sites', name, 'postgres', 'backupConfig'],
        `pgBackRest's configuration file for this cluster: ${physical[0]} is made with it`,
      );
    }
  }

  sites.forEach(([name, site], index) => {
    for (const [otherName, other] of sites.slice(0, index)) {
      const [one, two] = [site.postgres, other.postgres];
      if (one === undefined || two === undefined || one.host !== two.host) continue;
      const path = ['sites', name, 'postgres'] as const;
      if (one.port === two.port) problems.add([...path, 'port'], `another server than that of ${otherName}`);
      if (overlap(one.service.dataDirectory, two.service.dataDirectory)) {
        problems.add(
          [...path, 'service', 'dataDirectory'],
          `a directory of its own, apart from that of ${otherName} on the same host`,
        );
      }
    }
  });
}

function checkSite(name: string, site: Runbook['sites'][string], problems: Problems): void {
  const { postgres, quarantineDirectory } = site;
  if (postgres === undefined) return;
  const path = ['sites', name, 'postgres'] as const;
  if (postgres.service.account === 'root') {
    problems.add([...path, 'service', 'account'], 'another account: PostgreSQL refuses to run as root');
  }
  if (postgres.admin.user === postgres.application.user) {
    problems.add(
      [...path, 'application', 'user'],
      'another login than the administrator: the fence shuts the application out and lets Muster in',
    );
  }
  if (
    quarantineDirectory !== undefined &&
    (overlap(quarantineDirectory, postgres.service.dataDirectory) ||
      overlap(postgres.service.dataDirectory, quarantineDirectory))
  ) {
    problems.add(['sites', name, 'quarantineDirectory'], 'a directory apart from the data directory');
  }
}

/** Whether `path` is `other` or lies in it. */
function overlap(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => `${each.replace(/\/+/g, '/').replace(/\/$/, '')}/`);
  return one?.startsWith(two ?? '') === true;
}
