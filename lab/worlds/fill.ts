import type pg from 'pg';
import type { WorldDefinition } from './definition.js';

/** Makes tables, rows and rules. @param client superuser in the system's empty database; its roles are there */
export async function fill(client: pg.Client, definition: WorldDefinition): Promise<void> {
  await client.query(definition.extensionsSql);
  await client.query('begin');
  await client.query(`set local role ${definition.rolePrefix}_owner`);
  await client.query(definition.schemaSql);
  await client.query(definition.seedSql);
  await client.query(definition.rulesSql);
  await client.query('commit');
  await client.query('analyze');
}
