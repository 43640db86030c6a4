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
  registerDown(lab, context);
};

interface UpOptions {
  readonly size?: string;
  readonly transactions?: string;
}

const registerUp: Register = (lab, context) => {
  lab
    .command('up')
    .description('bring the lab up, or what of it is down')
    .option('--size <bytes>', 'size of the ledger, such as 2GB (default: what its transactions take)')
    .option('--transactions <number>', 'signed transactions in the ledger (default: 300000)')
    .addHelpText(
      'after',
      `
A lab that stands keeps its ledger; take it down first for another size.

Examples:
  muster lab up
  muster lab up --size 2GB`,
    )
    .action(async (options: UpOptions) => {
      const { labUp } = await import('../../../lab/commands.js');
      const { renderUp } = await import('../../../lab/render.js');
      const size = {
        ...(options.size === undefined ? {} : { sizeBytes: parseSize('--size', options.size) }),
        ...(options.transactions === undefined ? {} : { transactions: parseCount(options.transactions) }),
      };
      const result = await labUp({ ...place(context), log: (line) => context.out.note(line), size });
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

const registerBreak: Register = (lab, context) => {
  lab
    .command('break')
    .description('inflict a disaster on the lab')
    .argument('<disaster>', 'corruption: a bad change rewrites amounts and deletes rows while payments go on')
    .addHelpText(
      'after',
      `
It says since when the data is bad: what muster recover wants to know as --before.

Examples:
  muster lab break corruption
  muster lab break corruption --json`,
    )
    .action(async (disaster: string) => {
      const { DISASTERS, labBreak } = await import('../../../lab/commands.js');
      const { renderBreak } = await import('../../../lab/render.js');
      const known = DISASTERS.find((each) => each === disaster);
      if (known === undefined) throw unknownDisaster(disaster, DISASTERS);
      const done = await labBreak(known, place(context));
      context.out.result({ disaster: known, ...done }, () => renderBreak(done));
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

function unknownDisaster(given: string, known: readonly string[]): InputError {
  const meant = nearest(given, known);
  return new InputError('The lab cannot inflict that.', [
    {
      field: '<disaster>',
      given,
      allowed: `${meant === undefined ? '' : `${meant}, perhaps; `}the disasters are: ${known.join(', ')}`,
    },
  ]);
}
