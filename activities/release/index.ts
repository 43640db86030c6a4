/** A release that is bad: what going back takes, its migrations taken back with every write kept, the service proven. */
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { runOwnersCommand } from '../command/run.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, ReleaseActivities, ReleaseOf, ReleaseState, RungCheck } from '../contract.js';
import { requireReal } from '../production.js';
import { timed } from '../validate/timed.js';
import { converse } from '../verify/conversation.js';
import { chooseRelease } from './choice.js';
import { askHealth, failingFunctions, untilHealthy } from './health.js';
import { brokenIn, missingSince, readRecord } from './record.js';

export function releaseActivities(): Pick<MusterActivities, keyof ReleaseActivities> {
  return { assessRelease, migrateDown, validateRelease };
}

type Input<Name extends keyof ReleaseActivities> = Parameters<ReleaseActivities[Name]>[0];

async function assessRelease(input: Input<'assessRelease'>): Promise<ReleaseState> {
  const { application, database, releases, dataClasses, invariants, migratesDown, back } = input;
  const chosen = chooseRelease(await readRecord(input), {
    system: input.at.system,
    migratesDown,
    ...(back === undefined ? {} : { back }),
  });
  const told = await askHealth(application, releases.healthField);
  const failing = await failingFunctions(application, 'left');
  const broken = await brokenIn(database, invariants);
  const state = {
    ...chosen,
    ...(await missingSince(database, dataClasses, chosen.since)),
    told: told.release,
    healthy: told.healthy,
    failing,
    broken,
  };
  const ill = told.healthy ? failing : ['not healthy', ...failing];
  const with_ = chosen.migrations.length === 0 ? '' : `, with ${chosen.migrations.length} migrations`;
  return {
    ...state,
    summary: `${chosen.running} runs since ${chosen.since}${ill.length === 0 ? ', and nothing that was tried fails' : ` (${ill.join(', ')})`}; back to ${chosen.back}${with_}`,
  };
}

async function migrateDown(input: Input<'migrateDown'>) {
  const { at, command, database, state } = input;
  requireReal(at, `take back migrations at ${database.site}`);
  const recorded = async () => {
    const { migrations } = await readRecord(input);
    return state.migrations.filter((name) => migrations.some((one) => one.name === name));
  };
  const before = await recorded();
  const outputs =
    before.length === 0
      ? {}
      : await runOwnersCommand(
          at,
          'scenarios.badDeployment.migrateDown',
          command,
          { site: database.site, release: state.back, inputs: { migrations: [...before] } },
          { MUSTER_SITE: database.site, MUSTER_RELEASE: state.back },
        );
  const still = await recorded();
  if (still.length > 0) {
    throw new PermanentError('MigrationStays', `${still.join(', ')} is still recorded at ${database.site}.`, {
      why: 'The command that takes migrations back ended well.',
      next: 'See in its log what it did; have it take the record back in the same transaction, then retry the step.',
    });
  }
  const kept = await requireWritesKept(input);
  const what =
    state.migrations.length === 0
      ? 'nothing to do: the release migrated nothing'
      : before.length === 0
        ? `${state.migrations.join(', ')} had been taken back already`
        : `${before.join(', ')} taken back`;
  return { takenBack: before, outputs, summary: `${what}; ${kept}` };
}

async function validateRelease(input: Input<'validateRelease'>) {
  const { at, application, database, releases, invariants, state } = input;
  requireReal(at, `use ${application.url}`);
  const checks: RungCheck[] = [
    await timed(`release ${state.back} is healthy`, () =>
      untilHealthy(application, releases.healthField, state.back),
    ),
  ];
  const firstGoodAt = new Date().toISOString();
  for (const tried of application.functions) {
    checks.push(
      await timed(tried.title, async () => {
        const { answers } = await converse(application.url, tried, { signal: activitySignal() });
        return `${answers.length} answers as expected`;
      }),
    );
  }
  checks.push(await timed('every acknowledged write is kept', () => requireWritesKept(input)));
  const broken = await brokenIn(database, invariants);
  const works = `${state.back} works: ${application.functions.map(({ name }) => name).join(', ')}`;
  const summary =
    broken.length === 0
      ? `${works}; all ${invariants.length} rules hold`
      : `${works}; THE DATA IS DAMAGED (${broken.join(', ')}): a release does not mend it, corruption does`;
  return { checks, firstGoodAt, broken, summary };
}

/** @throws PermanentError `WritesMissing` when more is missing than before anything was done */
async function requireWritesKept({
  at,
  database,
  dataClasses,
  state,
}: Pick<ReleaseOf, 'database' | 'dataClasses'> &
  Pick<Input<'migrateDown'>, 'at' | 'state'>): Promise<string> {
  const { missing, uncounted } = await missingSince(database, dataClasses, state.since);
  const gone = Object.entries(missing).flatMap(([name, count]) => {
    const more = count - (state.missing[name] ?? count);
    return more > 0 ? [`${formatCount(more)} of ${name}`] : [];
  });
  if (gone.length > 0) {
    throw new PermanentError(
      'WritesMissing',
      `Records that were acknowledged since ${state.since} are not in the database any more: ${gone.join(', ')}.`,
      {
        why: 'They were there before the release was taken back: the migrations went with them.',
        next: `Stop users from working on, then begin muster recover corruption ${at.system} with the moment before this step as --before: a copy beside the database holds them.`,
      },
    );
  }
  const counted = Object.keys(missing).filter((name) => !uncounted.includes(name));
  return counted.length === 0
    ? 'nobody could count whether writes are missing'
    : `no acknowledged write is missing (${counted.join(', ')})`;
}
