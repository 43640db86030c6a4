/** What the owner of a system demands in words: kept beside the plan, so that nothing of it is lost. */
import { z } from 'zod';
import { duration, name, scenarioName, text } from './fields.js';

const phase = z.strictObject({
  title: text,
  from: duration,
  until: duration,
});

const procedure = z.strictObject({
  title: text,
  scenario: scenarioName
    .optional()
    .describe('The scenario of this runbook that carries it out; left out while none does'),
  steps: z.array(text).default([]).describe("The owner's steps, in order, where they are named"),
  takes: duration.optional().describe("The owner's own estimate, from detection until it is over"),
  phases: z
    .array(phase)
    .default([])
    .describe('Windows of time that the owner gives the parts of it, from detection on'),
  note: text.optional().describe('Where Muster does it otherwise, and why'),
});

const promise = z.strictObject({
  title: text,
  every: duration.describe('How often the owner promises it'),
  note: text.optional(),
});

export const owner = z.strictObject({
  procedures: z.record(name, procedure).describe('Disaster -> what the owner wants done'),
  tests: z.record(name, promise).describe('Tests and drills that the owner promises'),
  rules: z.array(text).describe('Rules that hold during and after a recovery'),
  standards: z.array(text).describe('Standards that evidence must satisfy, for instance PCI DSS'),
});
