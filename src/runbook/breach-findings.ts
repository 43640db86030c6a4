/** What a recovery from a breach is left to luck with. */
import type { Found, Rule } from './findings.js';

/** A copy that is gone back to after a breach is only as good as its lock. */
const copiesWithoutLock: Rule = ({ scenarios: { breach }, backups }) => {
  const backup = backups[breach?.backup ?? ''];
  if (backup?.driver !== 'archive') return [];
  return (breach?.copies ?? []).flatMap((number): Found[] => {
    const copy = backup.copies[number - 1];
    if (copy?.driver !== 's3' || copy.lockFor !== undefined) return [];
    return [
      {
        severity: 'advice',
        path: ['backups', breach?.backup ?? '', 'copies', number - 1],
        what: `A breach goes back to ${copy.title}, and it is not said that its archives are locked: stolen keys could delete them for good.`,
        proposal: 'Add lockFor (object lock in compliance mode), for at least as long as archives are kept.',
      },
    ];
  });
};

export const breachRules: readonly Rule[] = [copiesWithoutLock];
