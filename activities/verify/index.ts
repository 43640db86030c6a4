/** The ladder of verification: docs/verification.md says what each rung proves and what it does not. */
import type { Progress } from '../../src/model/run.js';
import { byDriver } from '../../src/runbook/backups.js';
import type { CopiesResult, MusterActivities, RepositoryResult, RungResult } from '../contract.js';
import { withProgress } from '../progress.js';
import { verifyApplication } from './application.js';
import { verifyArchive, verifyLoaded, verifyOtherArchives } from './archive.js';
import { verifyDump } from './dump.js';
import { verifyFiles } from './files.js';
import { verifyInvariants } from './invariants.js';
import { verifyPoint } from './point.js';
import { verifyOtherCopies, verifyRepository } from './repository.js';
import { verifyStructure } from './structure.js';

export { type ConversationOptions, type ConversationResult, converse } from './conversation.js';
export { askInvariant } from './invariant-query.js';

type Update = (progress: Progress) => void;
type Input<Name extends VerifyName> = Parameters<MusterActivities[Name]>[0];

type VerifyName =
  | 'verifyRepository'
  | 'verifyOtherCopies'
  | 'verifyFiles'
  | 'verifyPoint'
  | 'verifyStructure'
  | 'verifyDump'
  | 'verifyInvariants'
  | 'verifyApplication';

/** Climbs the rungs. A rung that is not passed is a permanent failure; what is returned holds passed checks only. */
export function verifyActivities(): Pick<MusterActivities, VerifyName> {
  const rung1 = byDriver<Input<'verifyRepository'>, [Update], Promise<RepositoryResult>>({
    pgbackrest: verifyRepository,
    archive: verifyArchive,
  });
  const others = byDriver<Input<'verifyOtherCopies'>, [Update], Promise<CopiesResult>>({
    pgbackrest: verifyOtherCopies,
    archive: verifyOtherArchives,
  });
  return {
    verifyRepository: (input) => alive('reading the repository', (update) => rung1(input, update)),
    verifyOtherCopies: (input) => alive('reading the other repositories', (update) => others(input, update)),
    verifyFiles: (input) => alive('checking the files', (update) => verifyFiles(input, update)),
    verifyPoint: ({ backup, ...input }) =>
      backup?.driver === 'archive'
        ? alive('comparing what was loaded with what was dumped', () => verifyLoaded({ ...input, backup }))
        : alive('comparing the position with the point', () => verifyPoint(input)),
    verifyStructure: (input) =>
      alive('checking tables and indexes', (update) => verifyStructure(input, update)),
    verifyDump: (input) => alive('reading every row', (update) => verifyDump(input, update)),
    verifyInvariants: (input) => alive('asking rules', (update) => verifyInvariants(input, update)),
    verifyApplication: (input) =>
      alive('trying the application', (update) => verifyApplication(input, update)),
  };
}

function alive<Result extends RungResult>(
  text: string,
  work: (update: (progress: Progress) => void) => Promise<Result>,
): Promise<Result> {
  return withProgress({ done: 0, unit: 'bytes', text }, work);
}
