/** The runbook format as JSON Schema, for editors that complete and check YAML (`# yaml-language-server: $schema=...`). */
import { z } from 'zod';
import { runbookSchema } from './schema.js';

/** What a person may write (durations as text, defaults left out), JSON Schema draft 2020-12. */
export function runbookJsonSchema(): Record<string, unknown> {
  return {
    title: 'Muster runbook',
    ...z.toJSONSchema(runbookSchema, { io: 'input', target: 'draft-2020-12' }),
  };
}

/** The text of `runbooks/runbook.schema.json`. */
export function runbookJsonSchemaText(): string {
  return `${JSON.stringify(runbookJsonSchema(), null, 2)}\n`;
}
