/** A gate on paper: whom to ask, how many, with what proof, what happens when nobody answers, and what to type. */
import type { GateDocument, PlanDocument, StepDocument } from '../../model/plan.js';
import { demandedInWords, demandedProof } from '../../people/demanded.js';
import { isAsked } from '../../people/roster.js';
import type { Person, Runbook } from '../../runbook/schema.js';
import { writeDuration } from '../../runbook/write-duration.js';
import { BLANK } from './plan-markdown-opening.js';
import { waitsFor } from './plan-order.js';
import { ANSWER_IN_CLEAR } from './statement.js';

interface Printed {
  readonly document: PlanDocument;
  readonly runbook: Runbook;
}

/** @param refer a step's name -> `7 (restore)` */
export function printedGate(
  step: StepDocument,
  gate: GateDocument,
  { document, runbook }: Printed,
  refer: (name: string) => string,
): string[] {
  const asked = runbook.people.filter((person) => isAsked(person, gate) !== 'never');
  return [
    `**Stop and ask** ${howMany(gate)}, after ${waitsFor(document, step.name).map(refer).join(', ')}.`,
    '',
    'Show what those steps found before you ask.',
    '',
    ...asked.map((person) => `- ${whoMay(person, gate)}`),
    ...(gate.requester === 'counts' ? [] : ['- who began the recovery does not count here']),
    ...(gate.secondFactor === 'none' ? [] : ['- a second factor is demanded: a code of the authenticator']),
    `- no answer after ${writeDuration(gate.expiresMs)}: ${unanswered(gate)}`,
    ...fewer(runbook),
    '',
    ...Array.from({ length: gate.approvals }, () => [
      `☐ yes ☐ no, decided at ${BLANK} by ${BLANK} because ${BLANK}${BLANK}`,
      '',
    ]).flat(),
    ...document.changeables
      .filter(({ name }) => gate.changes.includes(name))
      .flatMap((one) => [`☐ yes, but instead of what ${refer(one.step)} proposed: ${BLANK}${BLANK}`, '']),
    ...withMuster(gate, document, runbook, asked),
    ...withoutMuster(gate, asked),
  ];
}

function howMany({ approvals, from, roles }: GateDocument): string {
  if (approvals === 1) return roles.map((role) => `somebody with the role **${role}**`).join(' or ');
  const named = roles.map((role) => `**${role}**`);
  return from === 'each'
    ? `${approvals} different people, at least one for each of the roles ${named.join(', ')}`
    : `${approvals} different people with the role ${named.join(' or ')}`;
}

function whoMay(person: Person, gate: GateDocument): string {
  const { name, roles } = person;
  const later = isAsked(person, gate) === 'escalated' ? `, after ${writeDuration(gate.expiresMs)}` : '';
  const demanded = demandedProof(person, gate.secondFactor);
  const proof =
    demanded.impossible === undefined
      ? `needs ${demandedInWords(demanded)}`
      : `cannot count: ${demanded.impossible}`;
  return `${name} (${roles.join(', ')})${later}: ${proof}`;
}

function unanswered(gate: GateDocument): string {
  switch (gate.atExpiry) {
    case 'remind':
      return 'ask again';
    case 'escalate':
      return `ask ${gate.escalateTo.map((role) => `somebody with the role **${role}**`).join(' or ')} as well`;
    case 'deny':
      return 'it counts as no';
    case 'proceed':
      return 'go on';
  }
}

function overriding({ breakGlass, people }: Runbook): readonly Person[] {
  return people.filter(({ roles }) => breakGlass?.roles.some((role) => roles.includes(role)));
}

function fewer(runbook: Runbook): string[] {
  const { breakGlass } = runbook;
  if (breakGlass === undefined) return ['- nobody may go on with fewer'];
  const names = overriding(runbook).map(({ name }) => name);
  return [
    `- nobody else is there: ${breakGlass.people} of ${names.join(', ')} may go on with a reason; then tell everybody on the roster`,
  ];
}

function withMuster(
  { gate, changes, secondFactor }: GateDocument,
  { system, changeables }: PlanDocument,
  runbook: Runbook,
  asked: readonly Person[],
): string[] {
  const demanded = asked.map((person) => demandedProof(person, secondFactor));
  const proof = [
    demanded.some(({ signature }) => signature) ? ' --key <private key>' : '',
    demanded.some(({ code }) => code) ? ' --totp <code>' : '',
  ].join('');
  const say = (choice: string, more = '') => `muster ${choice} ${system} ${gate} --by <name>${more}${proof}`;
  return [
    'With Muster, each of them for themselves:',
    '',
    '```sh',
    say('approve'),
    ...changeables
      .filter(({ name }) => changes.includes(name))
      .map(({ name }) => say('approve', ` --change ${name}=<value>`)),
    say('deny', " --reason '<why>'"),
    `${say('withdraw')}   # takes an own word back while the gate is open`,
    ...(runbook.breakGlass === undefined ? [] : [say('override', " --reason '<why>'")]),
    '```',
    '',
    'With the Temporal CLI alone; the first command prints what to sign and the JSON to send:',
    '',
    '```sh',
    `muster statement ${system} approve ${gate} --by <name> --file statement.txt`,
    `temporal workflow update execute --workflow-id ${system}.real --name decide --input-file decision.json`,
    '```',
    '',
    ANSWER_IN_CLEAR,
    '',
  ];
}

/** Whoever keeps the paper looks at the code themselves: RFC 6238, as the authenticator does. */
function withoutMuster({ secondFactor }: GateDocument, asked: readonly Person[]): string[] {
  const checks = asked.flatMap(({ name, proofs }) =>
    proofs?.totp === undefined
      ? []
      : [`oathtool --totp -b ${secretFrom(proofs.totp)}   # what ${name} reads out`],
  );
  if (secondFactor === 'none' || checks.length === 0) return [];
  return [
    'Without either: call back on the number of the roster, have the code read out, and compare it within half a minute:',
    '',
    '```sh',
    ...checks,
    '```',
    '',
  ];
}

function secretFrom(reference: string): string {
  return reference.startsWith('env:')
    ? `"$${reference.slice('env:'.length)}"`
    : `"$(cat '${reference.slice('file:'.length)}')"`;
}
