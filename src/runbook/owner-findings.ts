/** What an owner plans and cannot hold: procedures that take longer than the RTO, dumps and copies of files that come too seldom. */
import type { Found, Rule } from './findings.js';
import type { Runbook } from './schema.js';
import { writeDuration } from './write-duration.js';

/** The strictest RTO: what the procedure brings back is not said any closer. */
function strictest({ objectives }: Runbook): { readonly name: string; readonly rto: number } | undefined {
  return Object.entries(objectives.components)
    .map(([name, { rto }]) => ({ name, rto }))
    .sort((one, other) => one.rto - other.rto)[0];
}

/** An estimate beyond the RTO is a promise that its own plan breaks. */
const proceduresBeyondRto: Rule = (runbook) => {
  const component = strictest(runbook);
  if (component === undefined) return [];
  return Object.entries(runbook.owner?.procedures ?? {}).flatMap(([name, { title, takes }]): Found[] => {
    if (takes === undefined || takes <= component.rto) return [];
    return [
      {
        severity: 'warning',
        path: ['owner', 'procedures', name, 'takes'],
        what: `The owner's procedure for ${title.toLowerCase()} takes ${writeDuration(takes)}, but ${component.name} must be back within ${writeDuration(component.rto)}.`,
        proposal: `Promise an RTO of at least ${writeDuration(takes)} for this disaster, or keep a standby elsewhere that takes over within ${writeDuration(component.rto)}. What Muster needs for it is in muster plan.`,
      },
    ];
  });
};

/** Windows that overlap, leave time to nobody, or end after the system must be back. */
const windowsOfPhases: Rule = (runbook) => {
  const rto = strictest(runbook)?.rto;
  return Object.entries(runbook.owner?.procedures ?? {}).flatMap(([name, procedure]): Found[] => {
    const { phases, title, takes } = procedure;
    const path = ['owner', 'procedures', name, 'phases'] as const;
    const found = phases.flatMap((phase, index): Found[] => {
      const before = phases[index - 1];
      const begins = before?.until ?? 0;
      if (phase.until > phase.from && phase.from === begins) return [];
      const what =
        phase.until <= phase.from
          ? `The window of ${phase.title} has no length.`
          : `${phase.title} begins after ${writeDuration(phase.from)}, ${before?.title ?? 'the detection'} ends after ${writeDuration(begins)}.`;
      return [
        {
          severity: 'warning',
          path: [...path, index],
          what: `In the owner's procedure for ${title.toLowerCase()}: ${what}`,
          proposal: 'Let each window begin where the one before it ends.',
        },
      ];
    });
    const last = phases.at(-1)?.until ?? 0;
    if (takes !== undefined && last > takes) {
      found.push({
        severity: 'warning',
        path: [...path],
        what: `The windows of ${title.toLowerCase()} end after ${writeDuration(last)}, the procedure is said to take ${writeDuration(takes)}.`,
        proposal: `Say that it takes ${writeDuration(last)}, or shorten the windows.`,
      });
    }
    if (last > 0 && last === rto) {
      found.push({
        severity: 'advice',
        path: [...path],
        what: `The windows of ${title.toLowerCase()} fill the RTO of ${writeDuration(rto)} to the last minute: one late decision breaks it.`,
        proposal:
          'Shorten a window, so that something is left; what Muster does by itself needs minutes, gates are what takes time.',
      });
    }
    return found;
  });
};

/** An RPO as long as the interval leaves no time for the dump itself. */
const rpoWithoutRoom: Rule = ({ backups, objectives }) =>
  Object.entries(backups).flatMap(([name, backup]): Found[] => {
    const physical = backup.driver === 'pgbackrest';
    const interval = physical ? backup.walArchivedWithin : backup.takenEvery;
    const tight = Object.entries(objectives.dataClasses).filter(([, { rpo }]) => rpo === interval);
    if (interval === undefined || tight.length === 0) return [];
    const every = writeDuration(interval);
    const who = tight.map(([dataClass]) => dataClass).join(', ');
    if (physical) {
      return [
        {
          severity: 'warning',
          path: ['backups', name, 'walArchivedWithin'],
          what: `${who} may lose at most ${every}, and a commit may take just as long to reach the archive: nothing is left for its transfer.`,
          proposal: `Archive the WAL well within ${every}: archive_timeout of some minutes costs little.`,
        },
      ];
    }
    return [
      {
        severity: 'warning',
        path: ['backups', name, 'takenEvery'],
        what: `${who} may lose at most ${every}, but an archive is made every ${every} and counts only when it is ready: shortly before, ${every} and the time of a dump are lost.`,
        proposal: `Take archives more often than every ${every}, or archive the WAL as well.`,
      },
    ];
  });

/** A file that was not copied yet is lost with its bucket, whatever becomes of the row that names it. */
const rpoOfFiles: Rule = ({ objects, objectives }) =>
  Object.entries(objects).flatMap(([name, { syncedEvery, primary, secondary, references }]): Found[] => {
    if (syncedEvery === undefined || secondary === undefined || references === undefined) return [];
    const classes = Object.entries(objectives.dataClasses).filter(
      ([, { table, rpo }]) => table === references.table && rpo < syncedEvery,
    );
    return classes.map(([dataClass, { rpo }]) => ({
      severity: 'warning',
      path: ['objects', name, 'syncedEvery'],
      what: `${dataClass} may lose at most ${writeDuration(rpo)}, but files are copied to ${secondary.bucket} every ${writeDuration(syncedEvery)}: what is newer is lost with ${primary.bucket}.`,
      proposal: `Copy what is new more often than every ${writeDuration(rpo)}, or have the store replicate it by itself.`,
    }));
  });

export const ownerRules: readonly Rule[] = [proceduresBeyondRto, windowsOfPhases, rpoWithoutRoom, rpoOfFiles];
