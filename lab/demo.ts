/**
 * The demo: Payymo's ledger is corrupted by a bad change while payments go on, and brought back. It types the commands that
 * a commander would type; without a terminal it takes the approvers' decisions itself and says so.
 */
import { cp } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { MusterError, messageOf } from '../src/errors.js';
import { musterHome } from '../src/home.js';
import { labBreak, labDown, labStatus, labUp } from './commands.js';
import { waitForPayments } from './demo/payments.js';
import { commandRecovery } from './demo/recovery.js';
import { type DemoOutcome, summariseForPeople, summariseForScripts } from './demo/summary.js';
import { labEnvironment } from './environment.js';

interface DemoOptions {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly down?: boolean;
  readonly size?: number;
}

const program = new Command('npm run demo --')
  .description(
    'Corrupts the payments ledger of a lab on this machine and brings it back, with everything real.',
  )
  .option('--json', 'end with one line of JSON; progress goes to standard error')
  .option('--keep', 'leave the lab up for looking around')
  .option('--down', 'end a lab that was left up, and nothing else')
  .option('--size <GB>', 'let the ledger be about this large', gigabytes)
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

main(program.parse().opts<DemoOptions>()).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`\n${messageOf(error)}\n`);
    if (error instanceof MusterError) process.stderr.write(`${error.next}\n`);
    process.exit(1);
  },
);

async function main(options: DemoOptions): Promise<number> {
  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  if (options.down) {
    const { dir, found } = await labDown({ log: say });
    say(found ? `The lab in ${dir} is gone.` : `There was no lab in ${dir}.`);
    return 0;
  }
  const standing = await labStatus();
  if (standing !== undefined) {
    process.stderr.write(`A lab is up in ${standing.state.dir}. End it first: npm run demo -- --down\n`);
    return 2;
  }
  const end = async () => {
    if (!options.keep) await labDown({ log: () => undefined });
    else
      say('The lab stays up. Look around with: npx muster lab status. End it with: npm run demo -- --down');
  };
  const interrupted = () => {
    say('\nInterrupted; ending the lab.');
    end().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    return await runDemo(options, say);
  } finally {
    await end();
  }
}

async function runDemo(options: DemoOptions, say: (line: string) => void): Promise<number> {
  say("1  Raising Payymo's world: ledger, backups in two regions, DNS, application, paying client, Temporal");
  const size = options.size === undefined ? {} : { size: { sizeBytes: options.size * 1e9 } };
  const { state } = await labUp({ log: (line) => say(`   ${line}`), ...size });
  const env = labEnvironment(state);

  say('2  Payments are taken');
  await waitForPayments(state, 12);

  say('3  A bad change is deployed');
  const damage = await labBreak('corruption');
  say(
    `   ${damage.alteredRows} payments altered, ${damage.deletedRows} deleted, ${damage.disabledTrigger} off; payments go on`,
  );
  await waitForPayments(state, 15);

  say('4  It is noticed. The incident commander begins the recovery');
  const detectedAt = new Date().toISOString();
  const ended = await commandRecovery({
    env: { ...env, MUSTER_TEMPORAL_UI: state.temporal.uiUrl },
    before: damage.startedAt,
    detectedAt,
    people: state.people,
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true && !options.json,
    say,
  });
  const outcome: DemoOutcome = { ...ended, report: await keepReport(ended.report) };
  for (const line of summariseForPeople(outcome)) say(line);
  if (options.json) process.stdout.write(`${summariseForScripts(outcome)}\n`);
  return outcome.view.status === 'recovered' ? 0 : 1;
}

/** The lab's folder goes with the lab; the report stays. */
async function keepReport(report: DemoOutcome['report']): Promise<DemoOutcome['report']> {
  if (report === undefined) return undefined;
  const written = dirname(report.json);
  const kept = join(musterHome(), 'reports', basename(written));
  // With a MUSTER_HOME of one's own it is written there in the first place.
  if (kept !== written) await cp(written, kept, { recursive: true });
  const at = (file: string) => join(kept, basename(file));
  return {
    html: at(report.html),
    json: at(report.json),
    signature: at(report.signature),
    publicKey: at(report.publicKey),
  };
}

function gigabytes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 1_000) {
    throw new InvalidArgumentError('It is a number of gigabytes above 0, for instance 2.');
  }
  return value;
}
