/** What the section of a scenario in a runbook refers to, looked up. The loader has checked the references already. */
import type { DatabaseAt, Quarantine } from '../activities/contract.js';
import { pgbackrestOf } from '../src/runbook/backups.js';
import type { Runbook } from '../src/runbook/schema.js';
import type { DatabaseRecovery } from './steps/parts.js';

export function corruptionParts(runbook: Runbook) {
  const section = required(runbook.scenarios.corruption, runbook, 'scenarios.corruption');
  const parts: DatabaseRecovery = {
    component: section.component,
    restores: section.restores,
    damaged: databaseAt(runbook, section.damaged),
    what: 'damaged',
    target: databaseAt(runbook, section.target),
    targets: [section.target, ...section.otherTargets],
    targetAt: ({ site }) => databaseAt(runbook, site),
    // A recovery to a moment needs WAL, which an archive of pg_dump has none of; the loader refuses such a runbook.
    backup: required(pgbackrestOf(runbook, section.backup), runbook, `backups.${section.backup}`),
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
    vault: runbook.vault,
    verification: runbook.verification,
    dataClasses: runbook.objectives.dataClasses,
  };
  return { section, parts };
}

/** The same for the loss of the primary's zone. */
export function azLossParts(runbook: Runbook) {
  const section = required(runbook.scenarios.azLoss, runbook, 'scenarios.azLoss');
  const standby = databaseAt(runbook, section.standby);
  const parts: DatabaseRecovery = {
    component: section.component,
    restores: section.restores,
    damaged: databaseAt(runbook, section.lost),
    what: 'lost',
    target: standby,
    targets: [section.standby],
    targetAt: () => standby,
    backup: required(pgbackrestOf(runbook, section.backup), runbook, `backups.${section.backup}`),
    record: required(runbook.dns[section.record], runbook, `dns.${section.record}`),
    application: required(
      runbook.applications[section.application],
      runbook,
      `applications.${section.application}`,
    ),
    quarantineDirectory: required(
      runbook.sites[section.lost]?.quarantineDirectory,
      runbook,
      `sites.${section.lost}.quarantineDirectory`,
    ),
    vault: runbook.vault,
    verification: runbook.verification,
    dataClasses: runbook.objectives.dataClasses,
  };
  const newStandby = section.newStandby && {
    slot: section.newStandby.slot,
    at: databaseAt(runbook, section.newStandby.site),
  };
  return { section, parts, newStandby };
}

export function databaseAt(runbook: Runbook, site: string): DatabaseAt {
  return { site, postgres: required(runbook.sites[site]?.postgres, runbook, `sites.${site}.postgres`) };
}

function required<T>(value: T | undefined, runbook: Runbook, path: string): T {
  if (value === undefined) throw new Error(`Runbook ${runbook.system} has no ${path}`);
  return value;
}

/** Of a damaged cluster that nobody can reach: it is neither stopped nor moved, and nothing of it is lost. */
export function leftWhereItIs({ site, postgres }: DatabaseAt): Quarantine {
  const directory = postgres.service.dataDirectory;
  return {
    directory,
    bytes: 0,
    manifest: '',
    sha256: '',
    summary: `left where it is, ${directory} at ${site}: nobody can reach it. It must not be started before it is fenced`,
  };
}

/** @returns what is wrong with a moment that a person gave; undefined for a good one */
export function momentProblem(value: string): string | undefined {
  const isMoment =
    /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));
  return isMoment
    ? undefined
    : `${value} is not a time: ISO 8601 with a zone, for instance 2026-03-01T02:59:39.871Z.`;
}

export function siteProblem(site: string, allowed: readonly string[]): string | undefined {
  return allowed.includes(site)
    ? undefined
    : `${site} is not a site that the runbook allows here: ${allowed.join(', ')}.`;
}
