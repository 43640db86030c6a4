/** Checks what is read back from the `data` of journal entries (`src/model/journal-data.ts`): it may be of any version. */
import { z } from 'zod';
import { PermanentError } from '../errors.js';
import type { JournalBody } from '../store/chain.js';

const milliseconds = z.number().min(0);
const approval = z.looseObject({
  by: z.string(),
  roles: z.array(z.string()),
  at: z.string(),
  provenBy: z.array(z.enum(['totp', 'ed25519', 'ssh'])),
});
const denial = z.object({ by: z.string(), reason: z.string() });
const fact = z.object({ label: z.string(), value: z.string() });

const failure = z.looseObject({
  code: z.string(),
  message: z.string(),
  next: z.string(),
  at: z.string(),
  attempts: z.number().int(),
  nothingDone: z.literal(true).optional(),
});

const view = z.looseObject({
  choice: z.enum([
    'approve',
    'deny',
    'withdraw',
    'override',
    'retry',
    'skip',
    'hold',
    'resume',
    'hand-over',
    'abort',
  ]),
  by: z.string(),
  at: z.string(),
  channel: z.enum(['update', 'signal', 'expiry']),
  reason: z.string().optional(),
  changed: z.string().optional(),
  saw: z.array(fact),
});

const shapes = {
  start: z.object({
    scenario: z.string().min(1),
    input: z.looseObject({
      runId: z.string().min(1),
      mode: z.enum(['real', 'drill']),
      requestedBy: z.string(),
      commander: z.string(),
      detectedAt: z.string(),
      planHash: z.string(),
      runbook: z.looseObject({ system: z.string() }),
    }),
  }),
  step: z.object({
    step: z.object({
      begun: z.number().int().min(0),
      startedAt: z.string().optional(),
      endedAt: z.string().optional(),
      workingMs: milliseconds,
      waitingMs: milliseconds,
    }),
    clock: z.object({
      workingMs: milliseconds,
      waitingMs: milliseconds,
      actualMs: z.number().optional(),
    }),
    output: z.looseObject({ summary: z.string() }).optional(),
    failure: failure.optional(),
    note: z.string().optional(),
  }),
  decision: z.object({
    view,
    approvals: z.array(approval),
    overriding: z.array(approval).default([]),
    denial: denial.optional(),
    used: z.array(z.string()),
  }),
  hold: z.object({ hold: z.object({ by: z.string(), reason: z.string(), since: z.string() }) }),
  commander: z.object({ commander: z.string() }),
  warning: z.object({
    override: z
      .object({
        on: z.string(),
        by: z.array(z.string()),
        reason: z.string(),
        at: z.string(),
        without: z.string(),
      })
      .optional(),
    aborted: denial.optional(),
  }),
} as const;

type Shapes = typeof shapes;

/**
 * @throws PermanentError `EntryUnusable` naming the entry and what is wrong with it
 */
export function dataOf<Name extends keyof Shapes>(name: Name, body: JournalBody): z.output<Shapes[Name]> {
  const parsed = shapes[name].safeParse(body.data);
  if (parsed.success) return parsed.data as z.output<Shapes[Name]>;
  throw new PermanentError(
    'EntryUnusable',
    `Entry ${body.index} (${body.kind}) of run ${body.runId} does not say what a new server has to know.`,
    {
      why: body.data === undefined ? 'It was written before entries held it.' : z.prettifyError(parsed.error),
      next: 'Recover with a new run: muster recover.',
    },
  );
}
