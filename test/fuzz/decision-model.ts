/**
 * What a run makes of decisions, written down a second time and as plainly as can be: no workflow, no time, no proofs but a
 * list of who signed what. A run that answers anything else is wrong.
 */
import { decisionChoices } from '../../src/model/decision.js';
import type { RunView } from '../../src/model/run.js';
import type { GatePolicy, Person } from '../../src/runbook/schema.js';
import { PLACES, type ProofModel, wellFormed } from './proof-model.js';

export interface Setting {
  /** The first one begins and commands the run. */
  readonly people: readonly Person[];
  readonly gates: { readonly point: GatePolicy; readonly promote: GatePolicy };
  readonly breakGlass?: { readonly roles: string[]; readonly people: number };
  /** Whether `build` fails for good until the point is changed. */
  readonly failing: boolean;
}

export interface Said {
  readonly on: string;
  readonly choice: (typeof decisionChoices)[number];
  readonly by: string;
  readonly reason?: string;
  readonly change?: Readonly<Record<string, string>>;
  readonly to?: string;
  readonly planHash?: string;
}

/** What can be seen of a run from outside, and has to be the same as in the model. */
export interface Seen {
  readonly over: string | undefined;
  readonly commander: string;
  readonly heldBy: string | undefined;
  readonly overrides: number;
  readonly open: Readonly<Record<string, { question: string; roles: string[]; approvals: string[] }>>;
}

type Mark = 'pending' | 'waiting' | 'done';
type GateName = keyof Setting['gates'];

/** Moments that stand for good ones; every other value of `point` in these tests is bad. */
export const GOOD_POINTS: readonly string[] = ['2026-03-01T11:00:00Z', '2026-03-01T12:30:00+01:00'];

const questions = { point: 'This point?', promote: 'Promote?' } as const;
const needReason: readonly string[] = ['deny', 'abort', 'override', 'skip', 'hold'];
const ofCommander: readonly string[] = ['resume', 'hand-over', 'abort', 'retry', 'skip'];

export class DecisionModel {
  private readonly marks: Record<'point' | 'build' | 'fence' | 'verify' | 'promote', Mark> = {
    point: 'pending',
    build: 'pending',
    fence: 'pending',
    verify: 'pending',
    promote: 'pending',
  };
  private approvals: string[] = [];
  private overriding: string[] = [];
  private denial: { by: string; reason: string } | undefined;
  private failing: boolean;
  /** What it was changed to. */
  private point: string | undefined;
  private heldBy: string | undefined;
  private commander: string;
  private overrides = 0;
  over: 'aborted' | 'recovered' | undefined;

  constructor(
    private readonly setting: Setting,
    private readonly proofs: ProofModel,
  ) {
    this.failing = setting.failing;
    this.commander = setting.people[0]?.name ?? '';
    this.goOn();
  }

  /**
   * @param value as it arrives
   * @param opening since when that is open which it is about
   * @returns whether it is accepted; then the model has changed
   */
  take(value: unknown, opening: string): boolean {
    if (!wellFormed(value)) return false;
    if (!this.possible(value)) return false;
    const person = this.person(value.by);
    const gate = this.gateOf(value.on);
    const secondFactor = gate === undefined ? 'none' : this.setting.gates[gate].secondFactor;
    if (person === undefined || !this.proofs.good(value, person, secondFactor, opening)) return false;
    this.apply(value);
    this.goOn();
    return true;
  }

  /** Whether it could be accepted now, apart from the proof. */
  possible(said: Said): boolean {
    const { by, choice, reason = '', change, to, planHash } = said;
    const person = this.person(by);
    if (this.over !== undefined || person === undefined) return false;
    if (planHash !== undefined && planHash !== this.proofs.planHash) return false;
    if (needReason.includes(choice) && reason.trim() === '') return false;
    if (change !== undefined && choice !== 'approve' && choice !== 'retry') return false;
    if (to !== undefined && choice !== 'hand-over') return false;
    const commands = by === this.commander || person.roles.includes('incident-commander');
    if (ofCommander.includes(choice) && !commands) return false;
    if (choice === 'abort') return true;
    if (['hold', 'resume', 'hand-over'].includes(choice)) return this.possibleOfRun(said);
    if (said.on === 'build' && this.marks.build === 'waiting')
      return choice === 'retry' && goodChange(change);
    const gate = this.gateOf(said.on);
    return gate !== undefined && this.possibleAt(gate, said, person);
  }

  private possibleOfRun({ on, choice, to }: Said): boolean {
    if (on !== 'run') return false;
    if (choice === 'hold') return this.heldBy === undefined;
    if (choice === 'resume') return this.heldBy !== undefined;
    return to !== undefined && to !== this.commander && this.person(to) !== undefined;
  }

  private possibleAt(gate: GateName, { choice, by, reason, change }: Said, { roles }: Person): boolean {
    const policy = this.setting.gates[gate];
    const { breakGlass } = this.setting;
    const isAsked = asked(policy).some((role) => roles.includes(role));
    switch (choice) {
      case 'approve':
        if (!isAsked || (policy.requester === 'does-not-count' && by === this.setting.people[0]?.name))
          return false;
        if (change === undefined || change.point === this.point)
          return !this.approvals.includes(by) && gateTakes(gate, change);
        return gateTakes(gate, change);
      case 'deny':
        return isAsked && !(this.denial?.by === by && this.denial.reason === reason);
      case 'withdraw':
        return this.denial?.by === by || this.approvals.includes(by) || this.overriding.includes(by);
      case 'override':
        return (
          breakGlass?.roles.some((role) => roles.includes(role)) === true && !this.overriding.includes(by)
        );
      default:
        return false;
    }
  }

  private apply({ on, choice, by, reason = '', change, to }: Said): void {
    const gate = this.gateOf(on);
    switch (choice) {
      case 'hold':
        this.heldBy = by;
        break;
      case 'resume':
        this.heldBy = undefined;
        break;
      case 'hand-over':
        this.commander = to ?? '';
        break;
      case 'abort':
        this.over = 'aborted';
        break;
      case 'retry':
        this.marks.build = 'pending';
        if (change !== undefined) this.changePoint(change.point, ['point', 'build', 'fence', 'verify']);
        break;
      case 'deny':
        this.forgetWords();
        this.denial = { by, reason };
        break;
      case 'withdraw':
        if (this.denial?.by === by) this.denial = undefined;
        this.approvals = this.approvals.filter((one) => one !== by);
        this.overriding = this.overriding.filter((one) => one !== by);
        break;
      case 'override':
        this.overriding.push(by);
        if (gate === undefined || this.overriding.length < (this.setting.breakGlass?.people ?? 0)) break;
        this.overrides += 1;
        this.marks[gate] = 'done';
        break;
      default:
        if (gate === undefined) break;
        if (change !== undefined) {
          this.changePoint(change.point, ['build', 'verify']);
          this.forgetWords();
        }
        this.denial = undefined;
        this.approvals.push(by);
        if (this.enough(this.setting.gates[gate])) this.marks[gate] = 'done';
    }
  }

  private changePoint(to: string | undefined, again: readonly (keyof typeof this.marks)[]): void {
    this.point = to;
    this.failing = false;
    for (const step of again) this.marks[step] = 'pending';
  }

  private forgetWords(): void {
    this.approvals = [];
    this.overriding = [];
    this.denial = undefined;
  }

  private openGate(gate: GateName): void {
    this.marks[gate] = 'waiting';
    this.forgetWords();
  }

  /** Whatever can begin begins, and ends at once. */
  private goOn(): void {
    const { marks } = this;
    if (this.over !== undefined || this.heldBy !== undefined) return;
    if (marks.point === 'pending') this.openGate('point');
    if (marks.build === 'pending') marks.build = this.failing ? 'waiting' : 'done';
    if (marks.point === 'done') marks.fence = 'done';
    if (marks.build === 'done') marks.verify = 'done';
    if (marks.promote === 'pending' && marks.fence === 'done' && marks.verify === 'done')
      this.openGate('promote');
    if (marks.promote === 'done') this.over = 'recovered';
  }

  /** Tries every way to give the roles to people. */
  private enough(policy: GatePolicy): boolean {
    const who = this.approvals.map((by) => this.person(by)?.roles ?? []);
    if (who.length < policy.approvals) return false;
    if (policy.from === 'any') return true;
    const beyond = policy.atExpiry === 'escalate' ? policy.escalateTo : [];
    const fill = (left: readonly string[], free: readonly (readonly string[])[]): boolean => {
      const [role, ...rest] = left;
      if (role === undefined) return true;
      return free.some(
        (roles, index) =>
          [role, ...beyond].some((one) => roles.includes(one)) &&
          fill(
            rest,
            free.filter((_, other) => other !== index),
          ),
      );
    };
    return fill(policy.roles, who);
  }

  gateOf(on: string): GateName | undefined {
    return (['point', 'promote'] as const).find(
      (gate) => this.marks[gate] === 'waiting' && (on === gate || on === `gate-${gate}`),
    );
  }

  secondFactorAt(gate: GateName): boolean {
    return this.setting.gates[gate].secondFactor === 'totp';
  }

  person(name: string): Person | undefined {
    return this.setting.people.find((one) => one.name === name);
  }

  /** All that could be accepted now, with a good proof. */
  sensible(): Said[] {
    return this.setting.people.flatMap(({ name: by }) =>
      PLACES.flatMap((on) =>
        decisionChoices
          .map((choice): Said => ({ on, choice, by, reason: 'because', ...this.receiver(choice) }))
          .filter((said) => this.possible(said)),
      ),
    );
  }

  private receiver(choice: string): { to?: string } {
    const other = this.setting.people.find(({ name }) => name !== this.commander);
    return choice === 'hand-over' && other !== undefined ? { to: other.name } : {};
  }

  seen(): Seen {
    const open: Record<string, Seen['open'][string]> = {};
    if (this.over === undefined) {
      for (const gate of ['point', 'promote'] as const) {
        if (this.marks[gate] !== 'waiting') continue;
        const denied = this.denial === undefined ? '' : ` Denied by ${this.denial.by}: ${this.denial.reason}`;
        open[`gate-${gate}`] = {
          question: `${questions[gate]}${denied}`,
          roles: asked(this.setting.gates[gate]),
          approvals: [...this.approvals],
        };
      }
      if (this.marks.build === 'waiting') {
        open.build = { question: 'build failed: No room. Mend it.', roles: [], approvals: [] };
      }
    }
    const { over, commander, heldBy, overrides } = this;
    return { over, commander, heldBy, overrides, open };
  }
}

/** The same of a run. */
export function seenIn(view: RunView): Seen {
  return {
    over: view.endedAt === undefined ? undefined : view.status,
    commander: view.commander,
    heldBy: view.hold?.by,
    overrides: view.overrides.length,
    open: Object.fromEntries(
      view.openDecisions.map(({ step, question, roles, approvals }) => [
        step,
        { question, roles: [...roles], approvals: approvals.map(({ by }) => by) },
      ]),
    ),
  };
}

/** These gates escalate at once, where they do. */
function asked({ roles, atExpiry, escalateTo }: GatePolicy): string[] {
  return [...new Set([...roles, ...(atExpiry === 'escalate' ? escalateTo : [])])];
}

function gateTakes(gate: GateName, change: Said['change']): boolean {
  return change === undefined || (gate === 'point' && goodChange(change));
}

function goodChange(change: Said['change']): boolean {
  if (change === undefined) return true;
  const entries = Object.entries(change);
  return (
    entries.length === 1 && entries.every(([name, value]) => name === 'point' && GOOD_POINTS.includes(value))
  );
}
