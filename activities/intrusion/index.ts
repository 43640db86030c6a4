/** What an intruder left in a database: on the live one to be dated, on a restored copy a reason not to promote it. */

import { copiesAsOf } from '../../src/archive/place.js';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import { chooseArchive } from '../archive/choice.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { lookInto } from '../point/holding.js';
import { toMoment } from '../point/moment.js';
import { check, passed, verificationFailed } from '../verify/check.js';
import type { IntrusionSign, IntrusionSigns } from './contract.js';
import { listed, lookAt } from './look.js';

type Look = Parameters<MusterActivities['lookForIntrusion']>[0];

export function intrusionActivities(): Pick<MusterActivities, 'lookForIntrusion' | 'verifyClean'> {
  return {
    async lookForIntrusion(input) {
      const { damaged, baseline, tables } = input;
      const looked = await lookAt(damaged, baseline, tables).catch((error: unknown) => {
        if (error instanceof TransientError && error.code === 'DatabaseUnreachable') return error;
        throw error;
      });
      if (looked instanceof TransientError) return unseen(input, looked);
      const { signs, server } = looked;
      if (server.timeline === null) {
        throw new PermanentError('NotThePrimary', `The database at ${damaged.site} is a standby.`, {
          next: 'Correct the site that was broken into in the runbook, then begin again. Nothing was touched.',
        });
      }
      const earliest = signs.find(({ seenAt }) => seenAt !== null)?.seenAt ?? null;
      return {
        systemIdentifier: server.system,
        timeline: server.timeline,
        time: earliest ?? server.now,
        signs,
        answers: true,
        earliest,
        summary: summarise(signs, earliest),
      };
    },

    async verifyClean({ target, baseline, tables }) {
      const heading = {
        rung: 7,
        title: 'no sign of the intruder',
        tool: 'muster: catalogues and content against the baseline',
        toolVersion: '1',
      };
      const checked = await check(heading, async () => {
        const { signs } = await lookAt(target, baseline, tables);
        if (signs.length === 0) return `nothing beyond the baseline, no content that looks encrypted`;
        throw verificationFailed(
          heading,
          `${listed(signs)}.`,
          'The intruder was there before this point: abort, or begin again with an earlier moment (--before). If something of this belongs there, add it to the baseline of the runbook.',
          { signs: signs.length },
        );
      });
      return passed([checked]);
    },
  };
}

/** Dead, or the intruder has locked everybody out: people know the moment, the backups whose cluster it is. */
async function unseen(input: Look, error: TransientError): Promise<IntrusionSigns> {
  const { site } = input.damaged;
  const { systemIdentifier, timeline } = await knownFromBackups(input);
  return {
    systemIdentifier,
    timeline,
    time: new Date().toISOString().replace('Z', '000Z'),
    signs: [],
    answers: false,
    earliest: null,
    summary: `NOTHING SEEN: the primary at ${site} does not let Muster in (${messageOf(error)}); it is system ${systemIdentifier}, as the backups say`,
  };
}

const knownFromBackups = byDriver({
  pgbackrest: ({ from, backup }: OfPgbackrest<Look>) => {
    const [first] = backup.repositories;
    if (first === undefined) throw new TypeError('no repository is trusted');
    return lookInto(from.postgres, backup, first.number, { systemIdentifier: '', timeline: 0 });
  },
  archive: async ({ at, backup, before }: OfArchive<Look>) => {
    const asOf = before === undefined ? undefined : toMoment(before);
    const { newest } = await chooseArchive(at.system, copiesAsOf(backup, asOf), activitySignal(), asOf).catch(
      (error: unknown) => {
        throw asOf === undefined && error instanceof PermanentError ? withMoment(error) : error;
      },
    );
    const { database } = newest;
    return { systemIdentifier: database.systemIdentifier, timeline: database.timeline ?? 1 };
  },
});

/** Delete markers hide archives from whoever looks at them as they are now. */
function withMoment(error: PermanentError): PermanentError {
  return new PermanentError(error.code, error.message, {
    ...(error.why === undefined ? {} : { why: error.why }),
    next: `If they were deleted: begin again with --before, a moment before anybody was in; archives are read as they were then. ${error.next}`,
    details: error.details,
    cause: error,
  });
}

function summarise(signs: readonly IntrusionSign[], earliest: string | null): string {
  if (signs.length === 0) return 'no sign of an intruder: nothing beyond the baseline';
  const since = earliest === null ? 'none of them can be dated' : `the earliest at ${earliest}`;
  return `${formatCount(signs.length)} signs, ${since}: ${listed(signs)}`;
}
