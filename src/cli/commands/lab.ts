/** `muster lab`: a two-site world on this machine, from real servers, and disasters to inflict on it. */
import { resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { nearest } from '../../runbook/nearest.js';
import type { CliContext, Register } from '../context.js';
import { parseSize } from '../size.js';

export const register: Register = (program, context) => {
  const lab = program
    .command('lab')
    .description('a world to try recoveries in, on this machine alone')
    .addHelpText(
      'after',
      `
Everything is real (PostgreSQL, pgBackRest, S3, DNS, Temporal) and listens on loopback only.
MUSTER_LAB names the folder of the lab; commands use its runbooks while it is up.

Examples:
  muster lab up
  muster lab break corruption
  muster lab down`,
    );
  registerUp(lab, context);
  registerStatus(lab, context);
  registerBreak(lab, context);
  registerProof(lab, context);
  registerDown(lab, context);
};

interface UpOptions {
  readonly size?: string;
  readonly transactions?: string;
  readonly standby?: boolean;
  readonly system?: readonly string[];
}

const registerUp: Register = (lab, context) => {
  lab
    .command('up')
    .description('bring the lab up, or what of it is down')
    .option('--system <name>', 'a system that shall live in it; may be repeated (default: payymo)', also)
    .option('--size <bytes>', 'size of the ledger, such as 2GB (default: what its transactions take)')
    .option('--transactions <number>', 'signed transactions in the ledger (default: 300000)')
    .option('--standby', 'with a streaming standby of the ledger in another zone')
    .addHelpText(
      'after',
      `
A lab that stands keeps its systems and its ledger: take it down first for
another size. A system that is named and does not live in it yet is added,
except payymo.
Systems: payymo, moneyflow, accubooks, spendsync, practice-hub.

Examples:
  muster lab up
  muster lab up --standby
  muster lab up --system payymo --system moneyflow
  muster lab up --size 2GB`,
    )
    .action(async (options: UpOptions) => {
      const { labUp, SYSTEMS } = await import('../../../lab/commands.js');
      const { renderUp } = await import('../../../lab/render.js');
      const size = {
        ...(options.size === undefined ? {} : { sizeBytes: parseSize('--size', options.size) }),
        ...(options.transactions === undefined ? {} : { transactions: parseCount(options.transactions) }),
      };
      const systems = options.system?.map((given) =>
        oneOf('--system', 'The lab has no such system.', given, SYSTEMS),
      );
      const result = await labUp({
        ...place(context),
        ...(systems === undefined ? {} : { systems }),
        log: (line) => context.out.note(line),
        size,
        standby: options.standby ? 'raised' : 'as-is',
      });
      context.out.result(result, () => renderUp(result));
    });
};

const registerStatus: Register = (lab, context) => {
  lab
    .command('status')
    .description('what of the lab runs, and where')
    .addHelpText('after', '\nExamples:\n  muster lab status\n  muster lab status --json')
    .action(async () => {
      const { labStatus } = await import('../../../lab/commands.js');
      const { renderStatus } = await import('../../../lab/render.js');
      const status = await labStatus(place(context));
      context.out.result({ found: status !== undefined, ...status }, () => renderStatus(status));
    });
};

interface BreakOptions {
  readonly cutOff?: boolean;
  readonly bucket?: boolean;
  readonly left?: string;
}

const registerBreak: Register = (lab, context) => {
  lab
    .command('break')
    .description('inflict a disaster on the lab')
    .argument('<disaster>', 'what happens: see below')
    .argument('[system]', 'whom it befalls', 'payymo')
    .option('--cut-off', 'az-loss: the primary lives on, and nobody can reach it')
    .option('--bucket', 'object-loss: the whole bucket, with all its versions')
    .option('--left <copy>', 'backup-loss: the one sound copy: standby, older-backup, damaged-server')
    .addHelpText(
      'after',
      `
Disasters:
  corruption  a bad change rewrites amounts and deletes rows while payments go on; it says since when the
              data is bad: what muster recover wants to know as --before
  corrupted-table
              a bad import overwrites rows of one table, and the rest is good
  az-loss     the zone of the primary is gone, its database and application are killed at once; where the
              lab has no standby in another zone yet, one is raised first
  infrastructure-failure
              the server of the primary is gone, and its disk with it
  regional-loss
              everything in the region of the primary is gone: its servers, the application, the object store
              with files and backups
  object-loss files are deleted and overwritten; with --bucket the bucket that they are in is deleted
  breach      somebody with stolen passwords makes a way back, encrypts rows and deletes the backups that
              their keys reach
  backup-loss the backups in both regions are damaged at random places (the eastern ones are cut off), and the
              disk of the primary; --left says which one copy is sound (default: the standby, which is raised)

bad-deployment (a release that migrates the database and fails) befalls spendsync and practice-hub,
provider-outage (all that the provider of the primary runs is gone) moneyflow and practice-hub,
object-loss payymo and practice-hub, az-loss payymo and spendsync; backup-loss of moneyflow and accubooks is a
bad change, and the usual copies of their archives are bad; of spendsync and practice-hub the standby is left.
corrupted-table spares practice-hub.

Examples:
  muster lab break corruption
  muster lab break az-loss payymo
  muster lab break corruption moneyflow
  muster lab break breach accubooks
  muster lab break az-loss --cut-off
  muster lab break backup-loss --left older-backup
  muster lab break corruption --json`,
    )
    .action(async (given: string, system: string, options: BreakOptions) => {
      const { DISASTERS, disastersOf, LEFT, labBreak, labHarm, SYSTEMS } = await import(
        '../../../lab/commands.js'
      );
      const { renderBreak, renderHarm } = await import('../../../lab/render.js');
      const befallen = oneOf('[system]', 'The lab has no such system.', system, SYSTEMS);
      oneOf('<disaster>', 'The lab cannot inflict that.', given, disastersOf(befallen));
      if (options.cutOff === true && given !== 'az-loss') throw notCutOff(given);
      if (options.bucket === true && given !== 'object-loss') throw noBucket(given);
      if (options.left !== undefined && given !== 'backup-loss') throw notLeft(given);
      const left =
        options.left === undefined
          ? {}
          : { left: oneOf('--left', 'The lab cannot spare that.', options.left, LEFT) };
      if (befallen !== 'payymo') {
        const objects = options.bucket === true ? 'bucket' : 'files';
        const harm = await labHarm(given, befallen, { ...place(context), objects });
        context.out.result({ disaster: given, system, ...harm }, () => renderHarm(harm));
        return;
      }
      const disaster = oneOf('<disaster>', 'The lab cannot inflict that.', given, DISASTERS);
      const log = (line: string) => context.out.note(line);
      const done = await labBreak(disaster, {
        ...place(context),
        log,
        fate: options.cutOff === true ? 'cut-off' : 'dead',
        objects: options.bucket === true ? 'bucket' : 'files',
        ...left,
      });
      context.out.result({ disaster, system, ...done }, () => renderBreak(disaster, done));
    });
};

const registerProof: Register = (lab, context) => {
  lab
    .command('proof')
    .description('what somebody of the lab proves who they are with, as options of a decision')
    .argument('<person>', 'database-lead or security-lead: their key, and what their authenticator shows now')
    .addHelpText(
      'after',
      `
Examples:
  muster approve payymo promote --by database-lead $(muster lab proof database-lead)
  muster lab proof security-lead --json`,
    )
    .action(async (given: string) => {
      const { labProof } = await import('../../../lab/commands.js');
      const { PROVING_PEOPLE } = await import('../../../lab/people.js');
      const person = oneOf('<person>', 'Nobody of the lab is called so.', given, PROVING_PEOPLE);
      const proof = await labProof(person, place(context));
      context.out.result({ person, ...proof }, () => `--key ${proof.key} --totp ${proof.totp}`);
    });
};

const registerDown: Register = (lab, context) => {
  lab
    .command('down')
    .description('end every process of the lab and remove its folder')
    .addHelpText('after', '\nExamples:\n  muster lab down')
    .action(async () => {
      const { labDown } = await import('../../../lab/commands.js');
      const { renderDown } = await import('../../../lab/render.js');
      const result = await labDown({ ...place(context), log: (line) => context.out.note(line) });
      context.out.result(result, () => renderDown(result));
    });
};

function also(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, given];
}

function place({ world }: CliContext): { readonly dir?: string } {
  return world.env.MUSTER_LAB ? { dir: resolve(world.cwd, world.env.MUSTER_LAB) } : {};
}

const LEAST = 1_000;
const MOST = 100_000_000;

function parseCount(given: string): number {
  const count = /^\d[\d_,]*$/.test(given) ? Number(given.replace(/[_,]/g, '')) : Number.NaN;
  if (count >= LEAST && count <= MOST) return count;
  throw new InputError('This is no number of transactions.', [
    { field: '--transactions', given, allowed: `a whole number from ${LEAST} to ${MOST}` },
  ]);
}

function oneOf<K extends string>(field: string, message: string, given: string, known: readonly K[]): K {
  const found = known.find((each) => each === given);
  if (found !== undefined) return found;
  const meant = nearest(given, known);
  throw new InputError(message, [
    {
      field,
      given,
      allowed: `${meant === undefined ? '' : `${meant}, perhaps; `}known are: ${known.join(', ')}`,
    },
  ]);
}

function noBucket(disaster: string): InputError {
  return new InputError('Only an object loss can befall a bucket.', [
    { field: '--bucket', given: disaster, allowed: 'together with object-loss' },
  ]);
}

function notCutOff(disaster: string): InputError {
  return new InputError('Only a zone can be cut off.', [
    { field: '--cut-off', given: disaster, allowed: 'together with az-loss' },
  ]);
}
function notLeft(disaster: string): InputError {
  return new InputError('Only of lost backups one copy is left.', [
    { field: '--left', given: disaster, allowed: 'together with backup-loss' },
  ]);
}
