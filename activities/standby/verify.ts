/** The first four rungs as a running standby can climb them: it is not stopped, and no backup lies under it. */
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, RungResult } from '../contract.js';
import { pgbackrestVersion } from '../pgbackrest/command.js';
import { lsnToNumber, parseSegment } from '../pgbackrest/wal.js';
import { serviceOf } from '../service/index.js';
import { check, headingOf, passed, verificationFailed } from '../verify/check.js';
import { runClientTool } from '../verify/client-tools.js';
import { archiveEnd, requireAnswer } from './archived.js';
import { readRecentPages } from './pages.js';
import { onStandby, readFacts } from './state.js';

type Input = Parameters<MusterActivities['verifyStandby']>[0];

const READ_MS = 12 * 3_600_000;

/**
 * Rung 1: the archive holds nothing that the standby lacks. Rung 2: its control data. Rung 3: every page is read and compared
 * with its checksum, as a base backup does it (manual: pg_basebackup, target `blackhole`). Rung 4: it stands where it was
 * left.
 *
 * @throws PermanentError `VerificationFailed`
 */
export async function verifyStandby(input: Input, update: (progress: Progress) => void): Promise<RungResult> {
  const { standby } = input;
  const [archive, control, position] = await Promise.all([
    archiveIsExhausted(input),
    controlIsSound(input),
    standsStill(input),
  ]);
  const pages = await pagesAreSound(standby, update);
  return passed([archive, control, pages, position]);
}

export async function archiveIsExhausted({ standby, backup, caughtUp }: Input) {
  const heading = {
    rung: 1,
    title: 'nothing newer in the archive',
    tool: 'pgBackRest',
    toolVersion: await pgbackrestVersion(),
  };
  return check(heading, async () => {
    const archive = await archiveEnd(standby, backup, caughtUp.systemIdentifier);
    requireAnswer(archive, backup);
    const { newest, answering } = archive;
    const segmentBytes = await onStandby(standby, async (client) => (await readFacts(client)).segmentBytes);
    const [end, stands] = [
      newest === null ? undefined : parseSegment(newest, segmentBytes),
      Math.floor(lsnToNumber(caughtUp.lsn) / segmentBytes),
    ];
    const grown = newest !== caughtUp.newestArchived && end !== undefined && end.index >= stands;
    if (grown || (end !== undefined && (end.timeline > caughtUp.timeline || end.index > stands))) {
      throw verificationFailed(
        heading,
        `the archive goes up to ${newest}, the standby stands at ${caughtUp.lsn}.`,
        'WAL has been archived since: the old primary lives. Abort, so that the standby follows again, and begin anew.',
      );
    }
    return `the archive ends with ${newest ?? 'nothing'}, asked of repositories ${answering.join(', ')}; ${caughtUp.lsn} is not before it`;
  });
}

export async function controlIsSound({ standby, caughtUp }: Input) {
  const { heading } = await headingOf(standby.postgres, 'pg_controldata', {
    rung: 2,
    title: 'control data',
  });
  return check(heading, async () => {
    const control = await serviceOf(standby.postgres).control();
    const wrong = [
      ...(control.systemIdentifier === caughtUp.systemIdentifier
        ? []
        : [`system identifier ${control.systemIdentifier} instead of ${caughtUp.systemIdentifier}`]),
      ...(Math.max(control.timeline, control.minimumRecoveryTimeline) === caughtUp.timeline
        ? []
        : [`timeline ${control.timeline} instead of ${caughtUp.timeline}`]),
      ...(control.state === 'in archive recovery'
        ? []
        : [`state "${control.state}" instead of "in archive recovery"`]),
      ...(control.insideBackup ? ['the end of the base backup was not reached'] : []),
      ...(lsnToNumber(control.minimumRecoveryEnd) > lsnToNumber(caughtUp.lsn)
        ? [`consistent only from ${control.minimumRecoveryEnd} on, paused at ${caughtUp.lsn}`]
        : []),
    ];
    if (wrong.length > 0) {
      throw verificationFailed(heading, `${wrong.join('; ')}.`, 'Recover from the backups instead.');
    }
    return `system ${control.systemIdentifier}, timeline ${caughtUp.timeline}, ${control.state}, consistent at ${control.minimumRecoveryEnd}`;
  });
}

export async function standsStill({ standby, caughtUp }: Input) {
  const heading = { rung: 4, title: 'the position reached', tool: 'PostgreSQL', toolVersion: '' };
  const facts = await onStandby(standby, readFacts);
  return check({ ...heading, toolVersion: String(facts.version) }, async () => {
    const wrong = [
      ...(facts.inRecovery ? [] : ['it is not in recovery']),
      ...(facts.pauseState === 'paused' ? [] : [`replay is "${facts.pauseState}" instead of paused`]),
      ...(facts.replayedLsn === caughtUp.lsn
        ? []
        : [`it stands at ${facts.replayedLsn}, not at ${caughtUp.lsn}`]),
      ...(facts.receiver === null ? [] : [`it receives from a server (${facts.receiver})`]),
      ...(facts.receivedLsn === null || lsnToNumber(facts.receivedLsn) <= lsnToNumber(caughtUp.lsn)
        ? []
        : [`it has received up to ${facts.receivedLsn}`]),
    ];
    if (wrong.length > 0) {
      throw verificationFailed(
        heading,
        `${wrong.join('; ')}.`,
        'Abort, so that the standby follows again, and begin anew.',
      );
    }
    return `paused at ${caughtUp.lsn}, cut off; newest commit ${facts.lastCommitAt ?? 'unknown'}`;
  });
}

export async function pagesAreSound(standby: DatabaseAt, update: (progress: Progress) => void) {
  const { heading } = await headingOf(standby.postgres, 'pg_basebackup', {
    rung: 3,
    title: 'page checksums',
  });
  return check(heading, async () => {
    const { checksumVersion, redoLsn } = await serviceOf(standby.postgres).control();
    if (checksumVersion === 0) {
      return 'this cluster was made without page checksums: its pages are only read by rungs 5 and 6';
    }
    const said: string[] = [];
    let bytes = 0;
    const outcome = await runClientTool(
      standby,
      'pg_basebackup',
      ['--target=blackhole', '--wal-method=none', '--checkpoint=fast', '--progress', '--no-password'],
      {
        timeoutMs: READ_MS,
        onErrorLine: (line) => {
          const [, done, total] = /(\d+)\/(\d+) kB/.exec(line.split('\r').at(-1) ?? '') ?? [];
          if (done === undefined || total === undefined) {
            if (line.trim() !== '') said.push(line.trim());
            return;
          }
          bytes = Number(done) * 1024;
          update({
            done: bytes,
            total: Number(total) * 1024,
            unit: 'bytes',
            text: 'comparing pages with their checksums',
          });
        },
      },
    );
    const { dataDirectory } = standby.postgres.service;
    const replayed = async () => (await onStandby(standby, readFacts)).replayedLsn ?? '0/0';
    const recent = await readRecentPages(dataDirectory, { from: redoLsn, replayed }, activitySignal());
    const named = said.filter((line) => /checksum.*block/i.test(line));
    const besides = recent.bad.filter(
      ({ file, block }) => !named.some((line) => line.includes(`/${file}", block ${block}:`)),
    );
    const bad = [...named, ...besides.map(({ file, block, why }) => `${file}, block ${block}: ${why}`)];
    if (bad.length > 0) {
      throw verificationFailed(
        heading,
        `pages with a bad checksum: ${bad.slice(0, 3).join('; ')}`,
        'Recover from the backups instead: these files are damaged on the standby.',
        { bad: bad.length },
      );
    }
    if (outcome.exitCode !== 0) {
      throw new PermanentError(
        'PagesUnread',
        `The pages of the standby at ${standby.site} could not be read whole: ${said.slice(-3).join(' ')}`,
        {
          next: `Let ${standby.postgres.admin.user} open replication connections there (pg_hba.conf, max_wal_senders), then retry the step.`,
        },
      );
    }
    return `${formatBytes(bytes)} read, no page with a bad checksum, ${formatCount(recent.compared)} pages of after the last checkpoint among them`;
  });
}
