/** What fast-check makes of rosters, gates and decisions; a decision is made complete when it is sent, from what the run is then. */
import fc from 'fast-check';
import { decisionChoices } from '../../src/model/decision.js';
import type { GatePolicy, Person } from '../../src/runbook/schema.js';
import { type DecisionModel, GOOD_POINTS, type Said, type Setting } from './decision-model.js';
import { at, type Means, PLACES, type ProofModel, textToSign } from './proof-model.js';

export const NAMES = ['ada', 'bob', 'cy', 'dee', 'eve'] as const;
const ROLES = ['lead', 'security', 'incident-commander', 'intern'] as const;
const roles = fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 3 });

const means = fc.constantFrom('nothing', 'key', 'code', 'both', 'both' as const);

function personWith(name: string, theirs: string[], proves: string, own: Means): Person {
  const keys = proves === 'key' || proves === 'both' ? [own.publicKey] : [];
  const totp = proves === 'code' || proves === 'both' ? { totp: own.totp } : {};
  const proofs = proves === 'nothing' ? {} : { proofs: { keys, ...totp } };
  return { name, roles: theirs, contacts: [], ...proofs } as Person;
}

const policy: fc.Arbitrary<GatePolicy> = fc
  .record({
    roles: fc.uniqueArray(fc.constantFrom('lead', 'security', 'incident-commander'), {
      minLength: 1,
      maxLength: 2,
    }),
    approvals: fc.integer({ min: 1, max: 3 }),
    from: fc.constantFrom('any' as const, 'each' as const),
    requester: fc.constantFrom('counts' as const, 'does-not-count' as const),
    secondFactor: fc.constantFrom('none' as const, 'none' as const, 'totp' as const),
    escalates: fc.boolean(),
  })
  .map(({ escalates, ...rest }) => ({
    ...rest,
    approvals: rest.from === 'each' ? Math.max(rest.approvals, rest.roles.length) : rest.approvals,
    expires: escalates ? 60 : 3_600_000,
    atExpiry: escalates ? ('escalate' as const) : ('remind' as const),
    escalateTo: escalates ? ['incident-commander'] : [],
  }));

export function settings(all: ReadonlyMap<string, Means>): fc.Arbitrary<Setting> {
  const people = fc.tuple(
    ...NAMES.map((name) =>
      fc
        .tuple(roles, means)
        .map(([theirs, proves]) => personWith(name, theirs, proves, all.get(name) as Means)),
    ),
  );
  const breakGlass = fc.record({
    roles: fc.constantFrom<string[]>(['incident-commander'], ['security', 'lead']),
    people: fc.integer({ min: 1, max: 2 }),
  });
  return fc
    .record({
      people,
      gates: fc.record({ point: policy, promote: policy }),
      breakGlass: fc.option(breakGlass, { nil: undefined }),
      failing: fc.boolean(),
    })
    .map(({ breakGlass: glass, ...rest }) => ({
      ...rest,
      ...(glass === undefined ? {} : { breakGlass: glass }),
    }));
}

const halves = fc.constantFrom('\u0000', '\ud800', '\udfff', '\u2028', '__proto__', '%s');
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  halves,
  fc.constantFrom('', ' ', 'because'),
);

/** How a decision is given: as it should be, or not quite. */
export interface Command {
  readonly kind: 'sensible' | 'any' | 'odd' | 'again';
  readonly pick: number;
  readonly said: Said;
  readonly key:
    | 'right'
    | 'none'
    | 'of another'
    | 'late'
    | 'early'
    | 'unreadable'
    | 'altered'
    | keyof Said
    | 'runId'
    | 'planHash'
    | 'opening';
  readonly code: 'right' | 'none' | 'first' | 'wrong';
  readonly channel: 'update' | 'signal';
  readonly twice: boolean;
  readonly field: string;
  readonly value: unknown;
}

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof(
    { weight: 4 * others.length, arbitrary: fc.constant(usual) },
    ...others.map((one) => fc.constant(one)),
  );

export const commands: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom('sensible', 'sensible', 'sensible', 'any', 'any', 'odd', 'again'),
  pick: fc.nat(10_000),
  said: fc
    .record({
      on: fc.constantFrom(...PLACES),
      choice: fc.constantFrom(...decisionChoices),
      by: mostly<string>('', ...NAMES, 'mallory'),
      reason: fc.option(texts, { nil: undefined }),
      change: fc.option(
        fc.oneof(
          fc.constantFrom(...GOOD_POINTS).map((point) => ({ point })),
          fc.constantFrom<Record<string, string>>(
            { point: 'noon' },
            { site: 'x' },
            { point: GOOD_POINTS[0] ?? '', site: 'x' },
          ),
        ),
        { nil: undefined, freq: 3 },
      ),
      to: fc.option(fc.constantFrom(...NAMES, 'mallory'), { nil: undefined, freq: 3 }),
      planHash: mostly<string | undefined>(undefined, 'own', 'f00d'),
    })
    .map((said) => said as Said),
  key: mostly<Command['key']>(
    ...(['right', 'none', 'of another', 'late', 'early', 'unreadable', 'altered'] as const),
    ...(['on', 'choice', 'by', 'reason', 'runId', 'planHash', 'opening'] as const),
  ),
  code: mostly<Command['code']>('right', 'none', 'first', 'wrong'),
  channel: mostly<Command['channel']>('update', 'signal'),
  twice: mostly(false, true),
  field: fc.constantFrom(
    'on',
    'choice',
    'by',
    'reason',
    'change',
    'to',
    'planHash',
    'proof',
    'origin',
    'more',
    '',
  ),
  value: fc.oneof(fc.jsonValue({ maxDepth: 2 }), texts, fc.string({ minLength: 300, maxLength: 3_000 })),
});

interface Now {
  readonly model: DecisionModel;
  readonly proofs: ProofModel;
  readonly openingOf: (on: string) => string;
  readonly sent: readonly unknown[];
  /** Tells one decision from the others in the journal. */
  readonly address: string;
}

/** The decision that a command stands for now; plain JSON. */
export function decisionOf(command: Command, now: Now): unknown {
  const { kind, pick, field, value, said, key, code } = command;
  if (kind === 'again' && now.sent.length > 0) return now.sent[pick % now.sent.length];
  const whole = { ...complete(command, now) };
  if (kind === 'odd') return plain(field === '' ? value : { ...whole, [field]: value });
  const proof = proofOf(whole, now, { key, code, pick, said });
  return plain({ ...whole, ...proof, origin: { address: now.address, agent: 'a test' } });
}

function complete({ kind, pick, said }: Command, { model, proofs }: Now): Said {
  const { planHash, ...rest } = said;
  const plan = planHash === undefined ? {} : { planHash: planHash === 'own' ? proofs.planHash : planHash };
  const possible = model.sensible();
  // What ends a run is tried now and then only: a run that is over has nothing to tell.
  const kept = possible.filter(({ choice }) => choice !== 'abort' || pick % 7 === 0);
  const chosen = kept[pick % Math.max(1, kept.length)];
  if (kind === 'sensible' && chosen !== undefined) {
    const changeable = chosen.on !== 'promote' && chosen.on !== 'gate-promote';
    const changes = ['approve', 'retry'].includes(chosen.choice) && changeable && rest.change !== undefined;
    return { ...chosen, ...plan, ...(changes ? { change: rest.change } : {}) };
  }
  return { ...rest, ...plan, by: rest.by === '' ? (NAMES[pick % NAMES.length] ?? '') : rest.by };
}

/** The proof that the roster asks of the sender, with one thing wrong in it where that is asked for. */
function proofOf(
  whole: Said,
  { model, proofs, openingOf }: Now,
  { key, code, pick, said }: Pick<Command, 'key' | 'code' | 'pick' | 'said'>,
): object {
  const person = model.person(whole.by);
  const own = proofs.meansOf(whole.by);
  if (own === undefined || key === 'none') return {};
  const hasKey = (person?.proofs?.keys.length ?? 0) > 0;
  const made = key === 'late' ? at(-6) : key === 'early' ? at(2) : key === 'unreadable' ? 'yesterday' : at(0);
  const other = proofs.meansOf(NAMES[(NAMES.indexOf(whole.by as 'ada') + 1) % NAMES.length] ?? '');
  const signer = key === 'of another' ? (other ?? own) : own;
  const about = {
    runId: key === 'runId' ? 'toy-another' : proofs.runId,
    planHash: key === 'planHash' ? 'f'.repeat(64) : proofs.planHash,
    opening: key === 'opening' ? '2026-01-01T00:00:00.000Z' : openingOf(whole.on),
    at: made,
  };
  const stated = ['on', 'choice', 'by', 'reason'].includes(key) ? { ...whole, [key]: `${said.on}?` } : whole;
  const signature = proofs.sign(signer, textToSign(stated, about));
  const codes = [...own.codes.keys()];
  const gate = model.gateOf(whole.on);
  const asksCode = !hasKey || (gate !== undefined && model.secondFactorAt(gate)) || pick % 5 === 0;
  const digits = {
    right: codes[pick % 3],
    first: codes[0],
    wrong: String(pick).padStart(6, '0'),
    none: undefined,
  };
  return {
    proof: {
      at: made,
      ...(hasKey ? { signature: key === 'altered' ? altered(signature, pick) : signature } : {}),
      ...(asksCode && digits[code] !== undefined ? { totp: digits[code] } : {}),
    },
  };
}

function altered(signature: string, pick: number): string {
  const bytes = Buffer.from(signature, 'base64');
  const bit = pick % (bytes.length * 8);
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return bytes.toString('base64');
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
