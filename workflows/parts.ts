/** What the corruption section of a runbook refers to, looked up. The loader has checked the references already. */
import type { DatabaseAt } from '../activities/contract.js';
import type { Runbook } from '../src/runbook/schema.js';

export function corruptionParts(runbook: Runbook) {
  const section = required(runbook.scenarios.corruption, runbook, 'scenarios.corruption');
  return {
    section,
    damaged: databaseAt(runbook, section.damaged),
    target: databaseAt(runbook, section.target),
    backup: required(runbook.backups[section.backup], runbook, `backups.${section.backup}`),
    record: required(runbook.dns[section.record], runbook, `dns.${section.record}`),
    application: required(
      runbook.applications[section.application],
      runbook,
      `applications.${section.application}`,
    ),
    quarantineDirectory: required(
      runbook.sites[section.damaged]?.quarantineDirectory,
      runbook,
      `sites.${section.damaged}.quarantineDirectory`,
    ),
  };
}

export function databaseAt(runbook: Runbook, site: string): DatabaseAt {
  return { site, postgres: required(runbook.sites[site]?.postgres, runbook, `sites.${site}.postgres`) };
}

function required<T>(value: T | undefined, runbook: Runbook, path: string): T {
  if (value === undefined) throw new Error(`Runbook ${runbook.system} has no ${path}`);
  return value;
}
