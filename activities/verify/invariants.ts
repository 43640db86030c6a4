import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import type { Invariant } from '../../src/runbook/schema.js';
import type { DatabaseAt, MusterActivities, RungCheck, RungResult } from '../contract.js';
import { adminOf } from '../service/index.js';
import { check, verificationFailed } from './check.js';
import { checkDataClass, checkForeignKeys, checkSequences, type Finding } from './generic.js';
import { askInvariant } from './invariant-query.js';

type Input = Parameters<MusterActivities['verifyInvariants']>[0];

const RUNG = 7;
const GENERIC_MS = 3_600_000;

/**
 * Rung 7: the rules of the runbook and those that any database keeps, several at once, on the copy.
 *
 * @throws PermanentError `VerificationFailed` naming every rule that is broken with examples, `InvariantUnanswered`
 */
export async function verifyInvariants(
  { target, invariants, dataClasses, point }: Input,
  update: (progress: Progress) => void,
): Promise<RungResult> {
  const tool = { rung: RUNG, tool: 'PostgreSQL', toolVersion: await serverVersion(target) };
  const generic = (title: string, ask: (client: pg.Client) => Promise<Finding>): Task => {
    return () => check({ ...tool, title }, () => askGeneric(target, title, ask));
  };
  const tasks: readonly Task[] = [
    ...invariants.map(
      (invariant): Task =>
        () =>
          check({ ...tool, title: invariant.title }, () => askOne(target, invariant)),
    ),
    generic('sequences', checkSequences),
    generic('foreign keys', checkForeignKeys),
    ...Object.entries(dataClasses).map(([name, dataClass]) =>
      generic(`data class ${name}`, (client) => checkDataClass(client, name, dataClass, point.time)),
    ),
  ];
  const checks = await runSome(tasks, Math.min(4, availableParallelism()), (done) =>
    update({ done, total: tasks.length, unit: 'rows', text: `asking rules, ${done} of ${tasks.length}` }),
  );
  return {
    checks,
    summary: `${formatCount(invariants.length)} invariants hold; ${checks
      .slice(invariants.length)
      .map((one) => one.detail)
      .join('; ')}`,
  };
}

async function askOne(target: DatabaseAt, invariant: Invariant): Promise<string> {
  const { violations, samples } = await askInvariant(target.postgres, invariant);
  if (violations === 0) return `${invariant.name}: holds`;
  throw broken(
    invariant.title,
    `${formatCount(violations)} rows break ${invariant.name}, for instance ${samples.slice(0, 3).join(' ')}`,
    { invariant: invariant.name, violations },
  );
}

async function askGeneric(
  target: DatabaseAt,
  title: string,
  ask: (client: pg.Client) => Promise<Finding>,
): Promise<string> {
  const finding = await withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: GENERIC_MS, applicationName: 'muster-verify' },
    ask,
  );
  if (finding.broken === undefined) return finding.detail;
  throw broken(title, finding.broken, {});
}

function broken(
  title: string,
  found: string,
  details: Readonly<Record<string, string | number>>,
): PermanentError {
  return verificationFailed(
    { rung: RUNG, title },
    found,
    'The damage is older than this point: choose an earlier one, or correct the rule in the runbook if it is wrong.',
    details,
  );
}

type Task = () => Promise<RungCheck>;

/** Runs the tasks, a few at once. All are run; what failed is told together, so that one look shows the extent. */
async function runSome(
  tasks: readonly Task[],
  atOnce: number,
  onDone: (done: number) => void,
): Promise<readonly RungCheck[]> {
  const results: (RungCheck | undefined)[] = [];
  const failures: unknown[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < tasks.length) {
      const index = next++;
      try {
        results[index] = await tasks[index]?.();
      } catch (error) {
        failures.push(error);
      }
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw together(failures);
  return results.filter((one) => one !== undefined);
}

function together(failures: readonly unknown[]): unknown {
  const found = failures.filter(isVerificationFailure);
  const other = failures.find((one) => !isVerificationFailure(one));
  const [first] = found;
  // A rule that could not be asked is told first: nobody knows yet whether it holds.
  if (other !== undefined) return other;
  if (first === undefined || found.length === 1) return first;
  return verificationFailed(
    { rung: RUNG, title: `${found.length} rules are broken` },
    found.map((one) => one.message.replace(/^Rung 7, /, '')).join(' '),
    first.next,
    { broken: found.length },
  );
}

function isVerificationFailure(thrown: unknown): thrown is PermanentError {
  return thrown instanceof PermanentError && thrown.code === 'VerificationFailed';
}

async function serverVersion(target: DatabaseAt): Promise<string> {
  return withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 10_000, applicationName: 'muster-verify' },
    async (client) => {
      const { rows } = await client.query<{ server_version: string }>('show server_version');
      return rows[0]?.server_version ?? 'unknown';
    },
  );
}
