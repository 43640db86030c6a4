/** Places where a system can run. */
import { z } from 'zod';
import { absolutePath, failureDomain, identifier, name, port, secretRef, text } from '../fields.js';

/** A PostgreSQL server at a site, and how its processes are reached. */
export const postgresSite = z.strictObject({
  host: text.describe('Name or address of the server itself, not the DNS record that applications use'),
  port,
  database: identifier,
  admin: z.strictObject({ user: identifier, password: secretRef }).describe('A superuser for Muster'),
  application: z
    .strictObject({ user: identifier, password: secretRef })
    .describe('The login of the application: what the fence must refuse.'),
  replication: z
    .strictObject({ user: identifier, password: secretRef })
    .optional()
    .describe('The login that a standby follows this server with (attribute REPLICATION)'),
  service: z.strictObject({
    driver: z.literal('pg-ctl').describe('Started and stopped with pg_ctl by a worker on the database host'),
    account: name.describe('Operating-system account that owns the cluster; never root'),
    dataDirectory: absolutePath,
    socketDirectory: absolutePath,
    logFile: absolutePath,
    binDirectory: absolutePath.optional().describe('Where pg_ctl is; found by itself when left out'),
  }),
  backupConfig: absolutePath
    .optional()
    .describe(
      "pgBackRest's configuration file for this cluster (mode 0600). Left out where the system's backups are archives",
    ),
});

export const site = z.strictObject({
  role: z.enum(['primary', 'standby', 'recovery', 'sandbox']),
  region: text,
  failureDomain,
  postgres: postgresSite.optional(),
  quarantineDirectory: absolutePath
    .optional()
    .describe('Where a damaged cluster is kept until a person releases it'),
});
