/** A release is bad: back to the last good one, with the database where the release migrated it. */
import { z } from 'zod';
import { name, text } from '../../fields.js';
import { commandFields } from '../commands.js';
import { gate } from '../gates.js';
import { budgets, restored } from './shared.js';

const releases = z.strictObject({
  history: text.describe(
    'One query: columns `release` and `deployed_at` of every deployment, newest first. The first one is the release that runs',
  ),
  migrations: text
    .optional()
    .describe(
      'One query: columns `name` and `release` of every migration that is in the database, newest first. Left out: releases migrate nothing',
    ),
  healthField: name
    .default('release')
    .describe('Field of the health answer that tells which release answers'),
});

export const badDeployment = z.strictObject({
  ...restored,
  application: name.describe('One of `applications`, with the command that deploys a release of it'),
  database: name.describe('Site of the database that keeps the record of releases'),
  releases,
  migrateDown: z
    .strictObject(commandFields)
    .optional()
    .describe(
      'Takes the migrations that it is told of (`inputs.migrations`, newest first) back in one transaction, and keeps every row that users wrote. Left out: a release that migrated the database is not taken back',
    ),
  gates: z.strictObject({ rollback: gate.describe('Before another release is put into service') }),
  budgets,
});

export type BadDeploymentSection = z.output<typeof badDeployment>;
