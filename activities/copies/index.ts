/** Every copy of a database that there is, when the usual ones are bad. */
import { PermanentError } from '../../src/errors.js';
import type { CopiesActivities } from '../contract.js';
import { withProgress } from '../progress.js';
import { surveyCopies } from './survey.js';
import { tryCopies } from './try.js';

export function copiesActivities(): CopiesActivities {
  return {
    surveyCopies: (input) =>
      withProgress({ done: 0, unit: 'resources', text: 'looking at every copy' }, (update) =>
        surveyCopies(input, update),
      ),
    async chooseCopy({ survey, id }) {
      const chosen = survey.copies.find((copy) => copy.id === id);
      if (chosen !== undefined && chosen.unusable === null) {
        return { first: id, summary: `${chosen.title} is tried first` };
      }
      const ids = survey.copies.filter(({ unusable }) => unusable === null).map((copy) => copy.id);
      throw new PermanentError(
        'NoSuchCopy',
        chosen === undefined
          ? `There is no copy ${id}.`
          : `${chosen.title} cannot be tried: ${chosen.unusable}.`,
        { next: `Choose one of ${ids.join(', ') || 'none: there is no other'}.` },
      );
    },
    tryCopies: (input) =>
      withProgress({ done: 0, unit: 'bytes', text: 'trying the first copy' }, (update) =>
        tryCopies(input, update),
      ),
  };
}
