/** Applications, and what the business cannot do without. */
import { z } from 'zod';
import { endpoint, httpPath, name, text } from '../fields.js';
import { commandFields } from './commands.js';

const jsonFields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const httpExchange = z.strictObject({
  title: text,
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  path: httpPath.describe('The text {{uuid}} becomes one new UUID for the whole conversation'),
  body: jsonFields
    .optional()
    .describe('JSON body; the text {{uuid}} becomes one new UUID for the whole conversation'),
  expectStatus: z.number().int().min(100).max(599),
  expectBody: jsonFields.optional().describe('Fields that the answer must hold with these values'),
});

export const businessFunction = z.strictObject({
  name,
  title: text,
  readOnly: z.boolean().describe('Whether it can be tried against a copy that takes no writes'),
  exchanges: z.array(httpExchange).min(1).describe('One conversation, in order'),
});

export const application = z.strictObject({
  component: name,
  url: endpoint.describe('Where the production application answers'),
  healthPath: httpPath,
  trial: z
    .strictObject({
      command: z.array(text).min(1),
      environment: z.record(z.string(), z.string()).default({}).describe('Secrets by reference'),
    })
    .optional()
    .describe(
      'Starts the application against a recovered copy, read-only. It gets MUSTER_PORT (where to listen on loopback), MUSTER_DATABASE_HOST and MUSTER_DATABASE_PORT.',
    ),
  deploy: z
    .strictObject(commandFields)
    .optional()
    .describe('Puts a release of the application into service at a site'),
  functions: z.array(businessFunction).default([]).describe('What the business cannot do without'),
});
