/**
 * Terraform and OpenTofu, by their machine-readable output (Terraform documentation, "Machine-Readable UI" and "JSON Output
 * Format"; OpenTofu keeps both). What was shown is what is made: before it acts the plan is made anew and compared.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PermanentError, TransientError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { type RunOutcome, runTool } from '../../src/process.js';
import type { Terraform } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { resolveEnvironment, withoutSecrets } from '../command/environment.js';
import { activitySignal } from '../context.js';
import type { InfrastructureMade, InfrastructurePlan, Outputs } from '../contract.js';
import { withProgress } from '../progress.js';
import type { OpenInfrastructure } from './driver.js';

type Change = InfrastructurePlan['changes'][number];

/** `tainted`: an attempt to make it failed halfway, so what there is of it is made again. */
interface PlannedChange extends Change {
  readonly reason: string | undefined;
}

const INIT_MS = 10 * 60_000;
const LOOK_MS = 60_000;
const LOCK_WAIT = '60s';
/** What is under way is brought to an end and written to the state: a kill would lose track of it. */
const GRACE_MS = 120_000;
const TEXT_LENGTH = 20_000;
const FEW = 5;

export const openTerraform: OpenInfrastructure<Terraform> = (_at, section, inputs) => {
  const tool = new Tool(section, inputs);
  return {
    plan: () =>
      tool.planned(async (changes, file) => {
        const text = await tool.textOf(file);
        const shown = changes.map(({ address, action }) => ({ address, action }));
        return { changes: shown, text, summary: `${section.title}: ${countOf(changes)}` };
      }),
    make: (shown) =>
      tool.planned(async (changes, file) => {
        requireShown(section, shown.changes, changes);
        if (changes.length > 0) await tool.apply(file, changes.length);
        const { outputs, withheld } = await tool.outputs();
        return describeMade(section, changes, outputs, withheld);
      }),
    ready: () =>
      tool.planned(async (changes) => ({
        summary: `${section.title}: ${await tool.version()}, ${countOf(changes)}`,
      })),
  };
};

const lineSchema = z.looseObject({
  type: z.string().optional(),
  change: z
    .looseObject({
      resource: z.looseObject({ addr: z.string() }),
      action: z.string(),
      reason: z.string().optional(),
    })
    .optional(),
  hook: z.looseObject({ resource: z.looseObject({ addr: z.string() }).optional() }).optional(),
  diagnostic: z
    .looseObject({ severity: z.string(), summary: z.string(), detail: z.string().optional() })
    .optional(),
});
type Line = z.output<typeof lineSchema>;

const outputSchema = z.record(z.string(), z.looseObject({ sensitive: z.boolean(), value: z.json() }));

class Tool {
  private readonly signal = activitySignal();
  private resolved: { readonly env: Record<string, string>; readonly secrets: readonly string[] } | undefined;

  constructor(
    private readonly section: Terraform,
    private readonly inputs: Outputs,
  ) {}

  /** Initialises, plans, hands the changes and the file of the plan to `work`, and leaves no plan behind: it holds secrets. */
  async planned<T>(work: (changes: readonly PlannedChange[], file: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-plan-'));
    const file = join(folder, 'plan');
    const { title } = this.section;
    try {
      await this.run(['init', '-input=false', '-no-color'], `initialising ${title}`, INIT_MS);
      const changes: PlannedChange[] = [];
      await this.run(
        ['plan', '-json', '-input=false', `-lock-timeout=${LOCK_WAIT}`, `-out=${file}`],
        `planning ${title}`,
        this.section.timeout,
        ({ type, change }) => {
          if (type !== 'planned_change' || change === undefined) return undefined;
          changes.push({ address: change.resource.addr, action: change.action, reason: change.reason });
          return { done: changes.length, unit: 'resources', text: `planning ${title}` };
        },
      );
      return await work(
        changes.filter(({ action }) => action !== 'noop' && action !== 'read'),
        file,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async textOf(file: string): Promise<string> {
    const { stdout } = await this.look(['show', '-no-color', file]);
    const text = withoutSecrets(stdout.trim(), (await this.settings()).secrets);
    return text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}\n... (cut)` : text;
  }

  async apply(file: string, total: number): Promise<void> {
    let done = 0;
    await this.run(
      ['apply', '-json', '-input=false', `-lock-timeout=${LOCK_WAIT}`, file],
      `making ${this.section.title}`,
      this.section.timeout,
      ({ type, hook }) => {
        if (type === 'apply_complete') done += 1;
        const text = hook?.resource === undefined ? undefined : `${wordOf(type)} ${hook.resource.addr}`;
        return text === undefined ? undefined : { done, total, unit: 'resources', text };
      },
    );
  }

  async outputs(): Promise<{ readonly outputs: Outputs; readonly withheld: readonly string[] }> {
    const { stdout } = await this.look(['output', '-json']);
    const all = outputSchema.parse(JSON.parse(stdout));
    const { secrets } = await this.settings();
    const isSecret = ({ sensitive, value }: { sensitive: boolean; value: unknown }) =>
      sensitive || secrets.some((secret) => JSON.stringify(value).includes(secret));
    const entries = Object.entries(all);
    return {
      outputs: Object.fromEntries(
        entries.filter(([, one]) => !isSecret(one)).map(([name, { value }]) => [name, value]),
      ) as Outputs,
      withheld: entries.filter(([, one]) => isSecret(one)).map(([name]) => name),
    };
  }

  /** For instance `Terraform v1.11.4`. */
  async version(): Promise<string> {
    const { stdout } = await this.look(['version']);
    return stdout.split('\n', 1)[0] ?? '';
  }

  /** A short command whose answer is wanted. */
  private async look(args: readonly string[]): Promise<RunOutcome> {
    const { env } = await this.settings();
    const outcome = await runTool(this.section.program, args, {
      cwd: this.section.directory,
      env,
      timeoutMs: LOOK_MS,
      signal: this.signal,
    });
    if (outcome.exitCode === 0) return outcome;
    throw await this.failed(args[0] ?? '', [outcome.stderr.trim().split('\n').slice(-FEW).join(' | ')]);
  }

  /** A command that takes its time; its lines are followed. */
  private async run(
    args: readonly string[],
    text: string,
    timeoutMs: number,
    follow: (line: Line) => Progress | undefined = () => undefined,
  ): Promise<void> {
    const { env } = await this.settings();
    const errors: string[] = [];
    const outcome = await withProgress({ done: 0, unit: 'resources', text }, (update) =>
      runTool(this.section.program, args, {
        cwd: this.section.directory,
        env,
        timeoutMs,
        graceMs: GRACE_MS,
        signal: this.signal,
        onLine: (written) => {
          const line = lineOf(written);
          if (line?.diagnostic?.severity === 'error') errors.push(wordsOf(line.diagnostic));
          const progress = line === undefined ? undefined : follow(line);
          if (progress !== undefined) update(progress);
        },
      }),
    );
    if (outcome.exitCode === 0) return;
    const said = errors.length > 0 ? errors : [outcome.stderr.trim().split('\n').slice(-FEW).join(' | ')];
    throw await this.failed(args[0] ?? '', said);
  }

  private async failed(command: string, said: readonly string[]): Promise<Error> {
    const { secrets } = await this.settings();
    const { title, program, directory } = this.section;
    const text = withoutSecrets(said.slice(0, FEW).join('; '), secrets);
    if (/acquiring the state lock/i.test(text)) {
      return new TransientError('StateLocked', `${title}: somebody else works on its state. ${text}`, {
        next: 'The step tries again by itself. If nobody does, release the lock as its message says (force-unlock).',
      });
    }
    return new PermanentError('TerraformFailed', `${title}: ${program} ${command} failed. ${text}`, {
      next:
        command === 'apply'
          ? `What was made is in the state. Correct the cause (${directory}), then retry the step: it makes the rest.`
          : `Nothing was made. Correct the cause (${directory}, infrastructure in the runbook), then retry the step.`,
    });
  }

  /** Variables go in by the environment: others on the machine see arguments. */
  private async settings() {
    if (this.resolved !== undefined) return this.resolved;
    const { environment, variables, secretVariables } = this.section;
    const { env, secrets } = await resolveEnvironment(environment);
    const given = Object.entries({ ...variables, ...this.inputs });
    const hidden = await Promise.all(
      Object.entries(secretVariables).map(async ([name, ref]) => [name, await resolveSecret(ref)] as const),
    );
    this.resolved = {
      env: {
        ...env,
        TF_IN_AUTOMATION: '1',
        CHECKPOINT_DISABLE: '1',
        ...Object.fromEntries(given.map(([name, value]) => [`TF_VAR_${name}`, asVariable(value)])),
        ...Object.fromEntries(hidden.map(([name, value]) => [`TF_VAR_${name}`, value])),
      },
      secrets: [...secrets, ...hidden.map(([, value]) => value)],
    };
    return this.resolved;
  }
}

/** Everything that would happen must have been shown; what has happened since need not happen again. */
function requireShown(section: Terraform, shown: readonly Change[], now: readonly PlannedChange[]): void {
  const known = new Set(shown.map(({ address, action }) => `${action} ${address}`));
  const isHalfMade = ({ address, reason }: PlannedChange) =>
    reason === 'tainted' && known.has(`create ${address}`);
  const unseen = now.filter((one) => !known.has(`${one.action} ${one.address}`) && !isHalfMade(one));
  if (unseen.length > 0) {
    throw new PermanentError(
      'PlanChanged',
      `${section.title}: what would be made is not what was shown: ${listed(unseen)}.`,
      {
        why: 'The module, its inputs or what it describes was changed since.',
        next: 'Nothing was made. Retry the step that shows the plan, and decide anew.',
      },
    );
  }
  const destroyed = now.filter(
    (one) => (one.action === 'delete' || one.action === 'replace') && !isHalfMade(one),
  );
  if (section.destroys === 'shown' || destroyed.length === 0) return;
  throw new PermanentError(
    'PlanDestroys',
    `${section.title} would remove what is there: ${listed(destroyed)}.`,
    {
      why: 'It may be the last copy of something.',
      next: 'Nothing was made. See why; if it is meant, set destroys to "shown" in the runbook (infrastructure), then retry the step.',
    },
  );
}

function describeMade(
  section: Terraform,
  changes: readonly Change[],
  outputs: Outputs,
  withheld: readonly string[],
): InfrastructureMade {
  const gave = [...Object.keys(outputs), ...withheld.map((name) => `${name} (secret, kept there)`)];
  const did = changes.length === 0 ? 'was there already' : countOf(changes);
  return {
    outputs,
    withheld,
    changed: changes.length,
    summary: `${section.title}: ${did}${gave.length === 0 ? '' : `; it gives ${gave.join(', ')}`}`,
  };
}

function countOf(changes: readonly Change[]): string {
  if (changes.length === 0) return 'nothing to change';
  const actions = new Map<string, number>();
  for (const { action } of changes) actions.set(action, (actions.get(action) ?? 0) + 1);
  return [...actions].map(([action, count]) => `${formatCount(count)} to ${action}`).join(', ');
}

function listed(changes: readonly Change[]): string {
  const named = changes.slice(0, FEW).map(({ address, action }) => `${action} ${address}`);
  return changes.length > FEW ? `${named.join(', ')} and ${changes.length - FEW} more` : named.join(', ');
}

function lineOf(written: string): Line | undefined {
  if (!written.startsWith('{')) return undefined;
  try {
    return lineSchema.parse(JSON.parse(written));
  } catch {
    return undefined;
  }
}

function wordsOf({ summary, detail }: NonNullable<Line['diagnostic']>): string {
  return detail === undefined || detail === '' ? summary : `${summary}: ${detail.replace(/\s+/g, ' ')}`;
}

function wordOf(type: string | undefined): string {
  return type === 'apply_complete' ? 'made' : 'making';
}

/** Lists and maps are read as JSON (Terraform documentation, "Complex-typed values"). */
function asVariable(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
