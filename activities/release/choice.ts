/** Which release is gone back to, and what of the database has to go with it. Pure. */
import { PermanentError } from '../../src/errors.js';
import type { ReleaseState } from '../contract.js';
import type { Deployment, Migration } from './record.js';

export type Chosen = Pick<ReleaseState, 'running' | 'since' | 'back' | 'candidates' | 'migrations'>;

/**
 * The release that runs was deployed last; the one that ran before its first deployment is the last good one, unless another is
 * asked for: what was deployed in between has been taken back already. Migrations of releases that came after the chosen one go;
 * those that it had when it ran stay.
 *
 * @param record both newest first
 * @param asked.back one of those that ran before
 * @throws PermanentError `NoReleaseBefore`, `ReleaseUnknown`, `MigrationFinal`
 */
export function chooseRelease(
  { deployments, migrations }: { deployments: readonly Deployment[]; migrations: readonly Migration[] },
  {
    system,
    migratesDown,
    back: asked,
  }: { readonly system: string; readonly migratesDown: boolean; readonly back?: string },
): Chosen {
  const running = deployments[0]?.release;
  // It may have been deployed more than once in a row.
  const other = deployments.findIndex(({ release }) => release !== running);
  const since = deployments.at((other === -1 ? deployments.length : other) - 1)?.at;
  const before = deployments.slice(deployments.map(({ release }) => release).lastIndexOf(running ?? '') + 1);
  const candidates = [...new Set(before.map(({ release }) => release))];
  if (running === undefined || since === undefined || candidates[0] === undefined) {
    throw new PermanentError(
      'NoReleaseBefore',
      `No release of ${system} is recorded before the one that runs.`,
      {
        next: 'Deploy a good release by hand; correct the query of the runbook where there was one (scenarios.badDeployment.releases.history).',
      },
    );
  }
  const back = asked ?? candidates[0];
  if (!candidates.includes(back)) {
    throw new PermanentError('ReleaseUnknown', `Release ${back} has not run before ${running}.`, {
      next: `Choose one of ${candidates.join(', ')}.`,
    });
  }
  const at = before.findIndex(({ release }) => release === back);
  const stay = new Set(before.slice(at).map(({ release }) => release));
  const go = migrations.filter(({ release }) => !stay.has(release)).map(({ name }) => name);
  if (go.length > 0 && !migratesDown) {
    throw new PermanentError(
      'MigrationFinal',
      `Release ${running} of ${system} has migrated the database (${go.join(', ')}), and the runbook does not say how that is taken back.`,
      {
        why: `${back} was never tried on a database that is migrated. Nothing was touched.`,
        next: `Go back to the moment before the release: muster recover corruption ${system} --before ${since}. What was written since is salvaged there or lost. To keep it name scenarios.badDeployment.migrateDown.`,
      },
    );
  }
  return { running, since, back, candidates, migrations: go };
}
